<?php

declare(strict_types=1);

namespace Cloakroom\Session;

use Cloakroom\Session\Wire\Address;
use Cloakroom\Session\Wire\Login;
use Cloakroom\Session\Wire\PhpRedisWire;
use Cloakroom\Session\Wire\Sentinel;
use Cloakroom\Session\Wire\SocketWire;
use Cloakroom\Session\Wire\Wire;

/** Puts together what the settings ask for. Nothing connects before the first command. */
final class StoreFactory
{
    public static function create(Settings $settings, ?Wire $wire = null): Store
    {
        $wire ??= self::wire($settings);
        $sleep = static fn (int $microseconds) => usleep($microseconds);
        $now = static fn (): float => microtime(true);
        $plain = new PlainStore($wire, $settings, $sleep);
        // Sessions without locks are a plain client's matter: SESSION commands have none of the kind.
        if ($settings->mode === 'plain' || !$settings->isLocking) {
            return $plain;
        }
        $native = new NativeStore($wire, $settings, $sleep, $now);
        return $settings->mode === 'native'
            ? $native
            : new StoreChooser($native, $plain, self::name($settings), $now);
    }

    public static function wire(Settings $settings): Wire
    {
        $hasSentinel = $settings->sentinels !== [];
        $sentinel = new Sentinel(
            $settings->sentinels,
            $settings->sentinelPrimary,
            $settings->username,
            $settings->password,
            $settings->timeoutS,
            $settings->tls
        );
        $arguments = [
            $hasSentinel ? $sentinel->locate(...) : static fn (): Address => $settings->address,
            new Login($settings->username, $settings->password, $hasSentinel),
            $settings->timeoutS,
            $settings->tls,
            $settings->persistentId,
            $hasSentinel ? 1 + $settings->sentinelRetries : 1,
        ];
        return self::usesPhpRedis($settings) ? new PhpRedisWire(...$arguments) : new SocketWire(...$arguments);
    }

    private static function usesPhpRedis(Settings $settings): bool
    {
        // An older one cannot be kept from reconnecting in silence.
        $exists = defined('Redis::OPT_MAX_RETRIES');
        if ($settings->transport === 'phpredis' && !$exists) {
            throw new \InvalidArgumentException('Session option transport is "phpredis", but PHP has no extension '
                . 'redis, or one before 5.3: install it, or use "socket".');
        }
        return $exists && $settings->transport !== 'socket';
    }

    private static function name(Settings $settings): string
    {
        $addresses = $settings->sentinels === [] ? [$settings->address] : $settings->sentinels;
        return implode(',', array_map(static fn (Address $address): string => $address->url(), $addresses));
    }
}
