<?php

declare(strict_types=1);

namespace Cloakroom\Session;

/**
 * How long a session lives after a visit: crawlers and first visits leave short ones.
 *
 * The rules and the names of agents are those of php-redis-session-abstract, so that a shop keeps its lifetimes.
 */
final class Lifetime
{
    private const AGENT_BEGINS = [
        'alexa', 'blitz.io', 'browsermob', 'curl', 'facebookexternalhit', 'ia_archiver', 'java', 'libwww-perl',
        'load impact', 'magespeedtest', '.net', 'pinterest', 'wget', 'elb-healthchecker',
    ];
    private const AGENT_CONTAINS = [
        'bot', 'crawl', 'feed', 'google web preview', 'indexer', 'jakarta', 'monitor', 'nagios ', 'postrank', 'slurp',
        'spider', 'uptime', 'yandex', 'binglocalsearch',
    ];
    private const AGENT_IS = 'mozilla';

    /**
     * @param int $writes how often the session was written before this visit
     * @return int seconds
     */
    public static function seconds(Settings $settings, int $writes, string $userAgent): int
    {
        $isFirst = $writes <= 1;
        if ($settings->botLifetimeS > 0 && self::isBot($userAgent)) {
            $seconds = $isFirst && $settings->botFirstLifetimeS > 0
                ? $settings->botFirstLifetimeS * (1 + $writes)
                : $settings->botLifetimeS;
        } elseif ($isFirst && $settings->firstLifetimeS > 0) {
            $seconds = $settings->firstLifetimeS * (1 + $writes);
        } else {
            $seconds = $settings->lifetimeS;
        }
        return min(max($seconds, $settings->minLifetimeS), $settings->maxLifetimeS);
    }

    /** Whoever names no agent counts as a crawler. */
    public static function isBot(string $userAgent): bool
    {
        $agent = strtolower($userAgent);
        if ($agent === '' || $agent === '0' || rtrim($agent, "\n") === self::AGENT_IS) {
            return true;
        }
        foreach (self::AGENT_BEGINS as $name) {
            if (str_starts_with($agent, $name)) {
                return true;
            }
        }
        foreach (self::AGENT_CONTAINS as $name) {
            if (str_contains($agent, $name)) {
                return true;
            }
        }
        return false;
    }
}
