<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Magento;

use Cloakroom\Session\Magento\EnvSettings;
use Magento\Framework\App\Config\ScopeConfigInterface;
use Magento\Framework\App\DeploymentConfig;
use Magento\Framework\App\State;
use PHPUnit\Framework\TestCase;

final class EnvSettingsTest extends TestCase
{
    /** What the shop had before, with options that only the library knows. */
    private const REDIS = [
        'host' => '10.0.0.5', 'port' => '6380', 'database' => '4', 'password' => 'secret', 'log_level' => '1',
        'sentinel_verify_master' => '1', 'max_concurrency' => '30', 'break_after_frontend' => '7',
    ];

    public function testWhatIsLeftOutComesFromTheSectionOfRedis(): void
    {
        $settings = $this->env(['database' => '2', 'wait' => '20'], self::REDIS)->read();
        self::assertSame('tcp://10.0.0.5:6380', $settings->address->url());
        self::assertSame([2, 'secret', 30, 7.0, 20000], [
            $settings->database, $settings->password, $settings->maxConcurrency, $settings->breakAfterS,
            $settings->waitMs,
        ]);
    }

    public function testSectionOfRedisAloneIsEnough(): void
    {
        self::assertSame(4, $this->env(null, self::REDIS)->read()->database);
    }

    public function testOwnSectionMayOverrideWithNothing(): void
    {
        self::assertSame('', $this->env(['password' => ''], self::REDIS)->read()->password);
    }

    public function testWithoutAnySectionThereAreDefaults(): void
    {
        self::assertSame('tcp://127.0.0.1:6379', $this->env(null, null)->read()->address->url());
    }

    public function testMistakesInTheOwnSectionAreNamed(): void
    {
        $this->expectException(\InvalidArgumentException::class);
        $this->expectExceptionMessage('"log_level" is unknown');
        $this->env(['log_level' => '1'], self::REDIS)->read();
    }

    public function testSectionOfRedisTakesTheLocksAwayAndTheOwnGivesThemBack(): void
    {
        $redis = ['disable_locking' => '1'] + self::REDIS;
        $settings = $this->env([], $redis)->read();
        self::assertSame([false, true], [$settings->isLocking, $settings->inheritsNoLocking]);
        $settings = $this->env(['disable_locking' => '0', 'max_concurrency' => '20'], $redis)->read();
        self::assertSame([true, false, 20], [
            $settings->isLocking, $settings->inheritsNoLocking, $settings->maxConcurrency,
        ]);
    }

    public function testNativeSessionsWithoutLocksAreAMistakeInOneSectionOnly(): void
    {
        $redis = ['disable_locking' => '1'] + self::REDIS;
        self::assertTrue($this->env(['mode' => 'native'], $redis)->read()->inheritsNoLocking);
        $this->expectException(\InvalidArgumentException::class);
        $this->expectExceptionMessage('exclude each other');
        $this->env(['mode' => 'native', 'disable_locking' => '1'], $redis)->read();
    }

    public function testAreaChoosesTheLifetimeAndTheLease(): void
    {
        $shop = $this->env([], [])->read();
        self::assertSame([3600, 30000], [$shop->lifetimeS, $shop->leaseMs]);
        $admin = $this->env([], [], 'adminhtml')->read();
        self::assertSame([900, 40000], [$admin->lifetimeS, $admin->leaseMs]);
        self::assertSame(3600, $this->env([], [], 'graphql')->read()->lifetimeS);
    }

    /**
     * @param array<string, string>|null $own
     * @param array<string, string>|null $redis
     */
    private function env(?array $own, ?array $redis, string $area = 'frontend'): EnvSettings
    {
        $scope = new class implements ScopeConfigInterface {
            public function getValue($path, $scopeType = 'default', $scopeCode = null): ?string
            {
                return match ("$scopeType $path") {
                    'store web/cookie/cookie_lifetime' => '3600',
                    'default admin/security/session_lifetime' => '900',
                    default => null,
                };
            }
        };
        $config = new DeploymentConfig(['session/cloakroom' => $own, 'session/redis' => $redis]);
        return new EnvSettings($config, new State($area), $scope);
    }
}
