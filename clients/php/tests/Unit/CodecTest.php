<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Unit;

use Cloakroom\Session\Codec;
use Cloakroom\Session\Error\Refused;
use PHPUnit\Framework\TestCase;

final class CodecTest extends TestCase
{
    /** @var list<string> */
    private array $warnings = [];

    public function testDataFromTheThresholdOnIsCompressedAndComesBack(): void
    {
        $codec = $this->codec('gzip', 10);
        self::assertSame('123456789', $codec->encode('123456789'));
        $encoded = $codec->encode('1234567890');
        self::assertSame(':gz:' . gzcompress('1234567890', 1), $encoded);
        self::assertSame('1234567890', $codec->decode($encoded));
    }

    public function testThresholdIsOnTheRawLength(): void
    {
        $raw = str_repeat('x', 3000);
        self::assertLessThan(2048, strlen($this->codec('gzip', 2048)->encode($raw)));
    }

    public function testNoneAndThresholdZeroLeaveDataAlone(): void
    {
        $raw = str_repeat('x', 5000);
        self::assertSame($raw, $this->codec('none', 10)->encode($raw));
        self::assertSame($raw, $this->codec('gzip', 0)->encode($raw));
    }

    public function testEveryReaderUnderstandsGzipWhateverItWritesItself(): void
    {
        $encoded = $this->codec('gzip', 1)->encode('n|i:1;');
        self::assertSame('n|i:1;', $this->codec('none', 0)->decode($encoded));
    }

    public function testDataWithoutPrefixIsReadAsItIs(): void
    {
        $codec = $this->codec('gzip', 10);
        foreach (['', 'n|i:1;', ':gz', ':xx:abc', 'gz::'] as $raw) {
            self::assertSame($raw, $codec->decode($raw));
        }
    }

    public function testDamagedDataIsRefusedAndNotReadAsEmpty(): void
    {
        $this->expectException(Refused::class);
        $this->expectExceptionMessage('damaged');
        $this->codec('gzip', 10)->decode(':gz:this is not zlib');
    }

    /** @return iterable<string, array{string, string, string}> */
    public static function rareLibraries(): iterable
    {
        yield 'lzf' => ['lzf', 'lzf_compress', ':lz:'];
        yield 'lz4' => ['lz4', 'lz4_compress', ':l4:'];
        yield 'snappy' => ['snappy', 'snappy_compress', ':sn:'];
    }

    /** @dataProvider rareLibraries */
    public function testLibraryWorksOrIsDoneWithoutAndSaidOnce(string $name, string $function, string $prefix): void
    {
        $codec = $this->codec($name, 10);
        $raw = str_repeat('abc', 100);
        $encoded = $codec->encode($raw);
        if (function_exists($function)) {
            self::assertStringStartsWith($prefix, $encoded);
            self::assertSame($raw, $codec->decode($encoded));
            return;
        }
        self::assertSame($raw, $encoded);
        self::assertSame($raw, $codec->encode($raw));
        self::assertCount(1, $this->warnings);
        self::assertStringContainsString("$function()", $this->warnings[0]);
        $this->expectException(Refused::class);
        $this->expectExceptionMessage("compressed with $name");
        $codec->decode($prefix . 'abc');
    }

    private function codec(string $library, int $thresholdBytes): Codec
    {
        return new Codec($library, $thresholdBytes, function (string $message): void {
            $this->warnings[] = $message;
        });
    }
}
