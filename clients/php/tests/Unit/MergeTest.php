<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Unit;

use Cloakroom\Session\Merge;
use Cloakroom\Session\SerializedText;
use PHPUnit\Framework\TestCase;

final class MergeTest extends TestCase
{
    /** @return iterable<string, array{string}> */
    public static function formats(): iterable
    {
        yield 'php' => ['php'];
        yield 'php_serialize' => ['php_serialize'];
    }

    /** @dataProvider formats */
    public function testKeysThatOnlyIChangedAreApplied(string $format): void
    {
        $base = ['cart' => [1], 'name' => 'a', 'old' => true, 'gone' => 1];
        $mine = ['cart' => [1, 2], 'name' => 'a', 'old' => true, 'fresh' => 1.5];
        $theirs = ['cart' => [1], 'name' => 'b', 'old' => true, 'gone' => 1, 'new' => null];
        self::assertSame(
            ['cart' => [1, 2], 'name' => 'b', 'old' => true, 'new' => null, 'fresh' => 1.5],
            self::merge($base, $mine, $theirs, $format)
        );
    }

    /** @dataProvider formats */
    public function testAKeyThatBothChangedIsAConflict(string $format): void
    {
        self::assertNull(self::merge(['n' => 1], ['n' => 2], ['n' => 3], $format));
        self::assertNull(self::merge(['n' => 1], [], ['n' => 3], $format));
        self::assertNull(self::merge(['n' => 1], ['n' => 3], [], $format));
        self::assertNull(self::merge([], ['n' => 1], ['n' => 2], $format));
    }

    /** @dataProvider formats */
    public function testTheSameChangeIsNone(string $format): void
    {
        self::assertSame(['n' => 2], self::merge(['n' => 1], ['n' => 2], ['n' => 2], $format));
        self::assertSame([], self::merge(['n' => 1], [], [], $format));
    }

    /** @dataProvider formats */
    public function testNumbersAsKeysStayNumbers(string $format): void
    {
        if ($format === 'php') {
            $this->expectNotToPerformAssertions();
            return;
        }
        self::assertSame([5 => 'a', -7 => 'b'], self::merge([5 => 'a'], [5 => 'a', -7 => 'b'], [5 => 'a'], $format));
    }

    /** @return iterable<string, array{mixed}> */
    public static function values(): iterable
    {
        yield 'null' => [null];
        yield 'false' => [false];
        yield 'negative' => [-17];
        yield 'float' => [-1.5e-30];
        yield 'infinity' => [-INF];
        yield 'text with syntax' => ['a|b:1;}"{s:1:"x";'];
        yield 'bytes' => ["\0\xff|\n"];
        yield 'deep' => [['a' => ['b' => [[], [1, 'x' => null]]]]];
        yield 'object' => [new \ArrayObject(['a' => 1])];
        yield 'plain object' => [(object) ['a' => (object) ['b' => "}"]]];
    }

    /**
     * @dataProvider values
     */
    public function testEveryValueIsFoundWhole(mixed $value): void
    {
        foreach (['php', 'php_serialize'] as $format) {
            $session = self::encode(['first' => 1, 'v' => $value, 'last' => 's'], $format);
            $parts = SerializedText::split($session, $format);
            self::assertSame(['first', 'v', 'last'], array_keys((array) $parts));
            self::assertSame(serialize($value), $parts['v']);
            self::assertSame($session, SerializedText::join((array) $parts, $format));
        }
    }

    public function testClassesThatDoNotExistHereAreMovedAsTheyAre(): void
    {
        $object = 'O:9:"Not\Known":1:{s:1:"a";i:1;}';
        $custom = 'C:9:"Not\Known":5:{a}b;c}';
        $enum = 'E:10:"Suit:Heart";';
        $session = "o|{$object}c|{$custom}e|$enum";
        self::assertSame(
            "{$session}n|i:1;",
            Merge::threeWay('', 'n|i:1;', $session, 'php')
        );
    }

    /** @return iterable<string, array{string}> */
    public static function unsafeTexts(): iterable
    {
        yield 'reference' => ['a|a:1:{i:0;i:1;}b|R:1;'];
        yield 'same object' => ['a|O:8:"stdClass":0:{}b|r:1;'];
        yield 'undefined' => ['!a|b|i:1;'];
        yield 'cut' => ['a|s:5:"abc";'];
        yield 'cut array' => ['a|a:2:{i:0;i:1;'];
        yield 'cut object' => ['a|O:8:"stdClass"'];
        yield 'cut custom' => ['a|C:3:"Abc":9:{x}'];
        yield 'no bar' => ['abc'];
        yield 'no value' => ['a|'];
        yield 'closing only' => ['a|}'];
        yield 'huge length' => ['a|s:999999999:"x";'];
    }

    /** @dataProvider unsafeTexts */
    public function testWhatCannotBeSplitIsAConflict(string $text): void
    {
        self::assertNull(Merge::threeWay('', 'n|i:1;', $text, 'php'));
        self::assertNull(Merge::threeWay($text, $text, 'n|i:1;', 'php'));
    }

    public function testDamagedArraysAreAConflict(): void
    {
        foreach (['i:1;', 'a:1:{i:0;i:1;}x', 'a:2:{i:0;i:1;}', 'a:1:{b:1;i:1;}', 'a:1:{'] as $text) {
            self::assertNull(SerializedText::split($text, 'php_serialize'), $text);
        }
    }

    public function testOtherFormatsAreAConflict(): void
    {
        self::assertNull(Merge::threeWay('', '', '', 'igbinary'));
        self::assertNull(Merge::threeWay('', '', '', 'php_binary'));
    }

    public function testNestingCostsNoStack(): void
    {
        $deep = str_repeat('a:1:{i:0;', 100000) . 'N;' . str_repeat('}', 100000);
        self::assertSame(['d' => $deep], SerializedText::split("d|$deep", 'php'));
    }

    /**
     * @param array<mixed> $base
     * @param array<mixed> $mine
     * @param array<mixed> $theirs
     * @return array<mixed>|null
     */
    private static function merge(array $base, array $mine, array $theirs, string $format): ?array
    {
        $merged = Merge::threeWay(
            self::encode($base, $format),
            self::encode($mine, $format),
            self::encode($theirs, $format),
            $format
        );
        return $merged === null ? null : self::decode($merged, $format);
    }

    /** @param array<mixed> $session */
    private static function encode(array $session, string $format): string
    {
        if ($format === 'php_serialize') {
            return serialize($session);
        }
        $text = '';
        foreach ($session as $key => $value) {
            $text .= "$key|" . serialize($value);
        }
        return $text;
    }

    /** @return array<mixed> */
    private static function decode(string $text, string $format): array
    {
        if ($format === 'php_serialize') {
            return unserialize($text);
        }
        return array_map(unserialize(...), (array) SerializedText::split($text, $format));
    }
}
