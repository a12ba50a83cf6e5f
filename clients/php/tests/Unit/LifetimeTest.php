<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Unit;

use Cloakroom\Session\Lifetime;
use Cloakroom\Session\Settings;
use PHPUnit\Framework\TestCase;

final class LifetimeTest extends TestCase
{
    private const PERSON = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0';
    private const BOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';

    /** @return iterable<string, array{array<string, string>, int, string, int}> options, writes, agent, seconds */
    public static function lifetimes(): iterable
    {
        yield 'first visit' => [[], 0, self::PERSON, 600];
        yield 'second visit' => [[], 1, self::PERSON, 1200];
        yield 'third visit' => [[], 2, self::PERSON, 3600];
        yield 'first lifetime off' => [['first_lifetime' => '0'], 0, self::PERSON, 3600];
        yield 'bot, first visit' => [[], 0, self::BOT, 60];
        yield 'bot, second visit' => [[], 1, self::BOT, 120];
        yield 'bot, third visit' => [[], 2, self::BOT, 7200];
        yield 'bot, first lifetime off' => [['bot_first_lifetime' => '0'], 0, self::BOT, 7200];
        yield 'bot lifetimes off' => [['bot_lifetime' => '0'], 5, self::BOT, 3600];
        yield 'bot lifetimes off, first visit' => [['bot_lifetime' => '0'], 0, self::BOT, 600];
        yield 'no agent' => [[], 3, '', 7200];
        yield 'at least' => [['min_lifetime' => '900'], 0, self::PERSON, 900];
        yield 'at most' => [['max_lifetime' => '1000'], 9, self::PERSON, 1000];
        yield 'the area says none' => [['lifetime' => '0'], 9, self::PERSON, 60];
        yield 'at most wins' => [['min_lifetime' => '900', 'max_lifetime' => '100'], 9, self::PERSON, 100];
    }

    /**
     * @dataProvider lifetimes
     * @param array<string, string> $options
     */
    public function testLifetime(array $options, int $writes, string $agent, int $seconds): void
    {
        self::assertSame($seconds, Lifetime::seconds(new Settings($options), $writes, $agent));
    }

    /** @return iterable<string, array{string, bool}> */
    public static function agents(): iterable
    {
        foreach (['', 'curl/7.88.1', 'Wget/1.21', 'Java/17', 'Mozilla', 'MOZILLA', 'ELB-HealthChecker/2.0'] as $bot) {
            yield "begins: $bot" => [$bot, true];
        }
        foreach ([self::BOT, 'x Uptime-Kuma/1', 'FeedFetcher', 'nagios plugin', 'Baiduspider+'] as $bot) {
            yield "contains: $bot" => [$bot, true];
        }
        foreach ([self::PERSON, 'my curl', 'Opera/9.80', 'Mozilla/4.0', 'nagiosx', 'x.net y'] as $person) {
            yield "person: $person" => [$person, false];
        }
    }

    /** @dataProvider agents */
    public function testUserAgentIsABot(string $agent, bool $isBot): void
    {
        self::assertSame($isBot, Lifetime::isBot($agent));
    }
}
