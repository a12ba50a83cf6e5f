<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Unit;

use Cloakroom\Session\Settings;
use PHPUnit\Framework\TestCase;

final class SettingsTest extends TestCase
{
    public function testDefaultsAreValid(): void
    {
        $settings = new Settings([]);
        self::assertSame('tcp://127.0.0.1:6379', $settings->address->url());
        self::assertSame(0, $settings->database);
        self::assertSame(45000, $settings->waitMs);
        self::assertSame(30000, $settings->leaseMs);
        self::assertSame(5.0, $settings->breakAfterS);
        self::assertSame(20, $settings->maxConcurrency);
        self::assertTrue($settings->isLocking);
        self::assertSame('auto', $settings->mode);
    }

    public function testEmptyTextMeansDefault(): void
    {
        self::assertSame(20, (new Settings(['max_concurrency' => '', 'timeout' => null]))->maxConcurrency);
    }

    public function testAreaChoosesLeaseAndBreakAfter(): void
    {
        $options = ['lease_adminhtml' => '90', 'break_after_adminhtml' => '40', 'lease_graphql' => '7'];
        $admin = new Settings($options, 'adminhtml');
        self::assertSame([90000, 40.0], [$admin->leaseMs, $admin->breakAfterS]);
        $graphql = new Settings($options, 'graphql');
        self::assertSame([7000, 30.0], [$graphql->leaseMs, $graphql->breakAfterS]);
    }

    /** @return iterable<string, array{array<string, mixed>, string}> options, url */
    public static function addresses(): iterable
    {
        yield 'name' => [['host' => 'redis.shop', 'port' => 6380], 'tcp://redis.shop:6380'];
        yield 'path' => [['host' => '/run/c.sock', 'port' => '0'], 'unix:///run/c.sock'];
        yield 'unix scheme' => [['host' => 'unix:///run/c.sock'], 'unix:///run/c.sock'];
        yield 'tls scheme' => [['host' => 'tls://redis.shop'], 'tls://redis.shop:6379'];
        yield 'tls options' => [['host' => 'redis.shop', 'tls' => ['cafile' => '/ca.pem']], 'tls://redis.shop:6379'];
        yield 'ipv6' => [['host' => '::1'], 'tcp://[::1]:6379'];
    }

    /**
     * @dataProvider addresses
     * @param array<string, mixed> $options
     */
    public function testHostMayBeANameAPathOrAUrl(array $options, string $url): void
    {
        self::assertSame($url, (new Settings($options))->address->url());
    }

    public function testSentinelsAreReadFromAList(): void
    {
        $settings = new Settings([
            'sentinel_servers' => '10.0.0.1:26380, tcp://10.0.0.2, [::1]:5', 'sentinel_master' => 'shop',
        ]);
        $urls = array_map(static fn ($address): string => $address->url(), $settings->sentinels);
        self::assertSame(['tcp://10.0.0.1:26380', 'tcp://10.0.0.2:26379', 'tcp://[::1]:5'], $urls);
    }

    public function testReadOnlyPathsAreWholeOrBeginWith(): void
    {
        $settings = new Settings(['read_only_paths' => ['/customer/section/load', '/rest/V1/directory/*']]);
        self::assertTrue($settings->isReadOnly('/customer/section/load'));
        self::assertFalse($settings->isReadOnly('/customer/section/load/'));
        self::assertTrue($settings->isReadOnly('/rest/V1/directory/countries'));
        self::assertFalse($settings->isReadOnly('/rest/V1/directory'));
        self::assertFalse($settings->isReadOnly(''));
    }

    public function testBooleansMayBeBooleans(): void
    {
        self::assertFalse((new Settings(['disable_locking' => true]))->isLocking);
        self::assertTrue((new Settings(['disable_locking' => false]))->isLocking);
        self::assertFalse((new Settings(['disable_locking' => 1]))->isLocking);
    }

    /** @return iterable<string, array{array<string, mixed>, string}> options, what the message says */
    public static function mistakes(): iterable
    {
        yield 'unknown' => [['max_concurency' => '6'], '"max_concurency" is unknown. There are: host, port'];
        yield 'number' => [['port' => '6379x'], 'port is "6379x"; it may be: a whole number from 0 to 65535'];
        yield 'range' => [['max_concurrency' => '0'], 'max_concurrency is "0"; it may be: a whole number from 1'];
        yield 'seconds' => [['wait' => '601'], 'wait is "601"'];
        yield 'choice' => [['mode' => 'fast'], 'mode is "fast"; it may be: auto, native, plain.'];
        yield 'library' => [['compression_library' => 'zstd'], 'gzip, lzf, lz4, snappy, none'];
        yield 'array for text' => [['host' => ['a']], 'host is array'];
        yield 'text for array' => [['read_only_paths' => '/a'], 'read_only_paths is "\/a"'];
        yield 'tls as text' => [['tls' => '1'], 'tls is "1"'];
        yield 'scheme' => [['host' => 'http://x'], 'use tcp://, tls:// or unix://'];
        yield 'no primary' => [['sentinel_servers' => 'a:1'], 'needs sentinel_master'];
        yield 'native without locks' => [
            ['disable_locking' => '1', 'mode' => 'native'],
            'mode "native" and disable_locking "1" exclude each other',
        ];
        yield 'locking' => [['disable_locking' => 'yes'], 'disable_locking is "yes"'];
    }

    /**
     * @dataProvider mistakes
     * @param array<string, mixed> $options
     */
    public function testMistakeNamesItselfAndWhatMayBe(array $options, string $message): void
    {
        $this->expectException(\InvalidArgumentException::class);
        $this->expectExceptionMessage($message);
        new Settings($options);
    }

    public function testOptionsAreInheritedWhereTheOwnHaveNothing(): void
    {
        $settings = new Settings(['host' => 'own', 'password' => ''], 'frontend', [
            'host' => 'other', 'password' => 'secret', 'max_concurrency' => '6',
        ]);
        self::assertSame(['tcp://own:6379', '', 6], [
            $settings->address->url(), $settings->password, $settings->maxConcurrency,
        ]);
    }

    /** @return iterable<string, array{array<string, mixed>, array<string, mixed>, bool, bool}> */
    public static function locking(): iterable
    {
        $without = ['disable_locking' => '1'];
        yield 'nobody says' => [[], [], true, false];
        yield 'own' => [$without, [], false, false];
        yield 'inherited' => [[], $without, false, true];
        yield 'inherited for native' => [['mode' => 'native'], $without, false, true];
        yield 'inherited for plain' => [['mode' => 'plain'], $without, false, false];
        yield 'inherited and said again' => [$without, $without, false, false];
        yield 'inherited and taken back' => [['disable_locking' => '0', 'mode' => 'native'], $without, true, false];
        yield 'inherited and left empty' => [['disable_locking' => ''], $without, true, false];
    }

    /**
     * @dataProvider locking
     * @param array<string, mixed> $options
     * @param array<string, mixed> $inherited
     */
    public function testWhetherLocksWereTakenAwayUnasked(
        array $options,
        array $inherited,
        bool $isLocking,
        bool $inheritsNoLocking
    ): void {
        $settings = new Settings($options, 'frontend', $inherited);
        self::assertSame([$isLocking, $inheritsNoLocking], [$settings->isLocking, $settings->inheritsNoLocking]);
    }

    public function testPasswordIsInNoMessage(): void
    {
        try {
            new Settings(['password' => ['secret']]);
            self::fail('an array is no password');
        } catch (\InvalidArgumentException $failure) {
            self::assertStringNotContainsString('secret', $failure->getMessage());
        }
    }
}
