<?php

declare(strict_types=1);

namespace Cloakroom\Session;

use Cloakroom\Session\Wire\Address;
use Cloakroom\Session\Wire\Sentinel;

/** All options, checked and in their units. README.md explains each; a wrong one names itself and what it may be. */
final class Settings
{
    /** Every option with its default, written as env.php writes them. */
    public const DEFAULTS = [
        'host' => '127.0.0.1',
        'port' => '6379',
        'database' => '0',
        'username' => '',
        'password' => '',
        'timeout' => '2.5',
        'persistent_identifier' => '',
        'tls' => [],
        'sentinel_servers' => '',
        'sentinel_master' => '',
        'sentinel_connect_retries' => '5',
        'compression_threshold' => '2048',
        'compression_library' => 'gzip',
        'max_concurrency' => '20',
        'break_after_frontend' => '5',
        'break_after_adminhtml' => '30',
        'lease_frontend' => '30',
        'lease_adminhtml' => '40',
        'wait' => '45',
        'first_lifetime' => '600',
        'bot_first_lifetime' => '60',
        'bot_lifetime' => '7200',
        'min_lifetime' => '60',
        'max_lifetime' => '2592000',
        'lifetime' => '3600',
        'disable_locking' => '0',
        'read_only_paths' => [],
        'on_fenced' => 'log',
        'on_unreachable' => 'fail',
        'mode' => 'auto',
        'transport' => 'auto',
    ];

    /** Magento has more areas than two; these defaults are for the others, such as break_after_graphql. */
    private const AREA_OPTIONS = ['break_after' => '30', 'lease' => '30'];

    private const MAX_S = 31536000;

    public readonly Address $address;
    public readonly int $database;
    public readonly string $username;
    public readonly string $password;
    public readonly float $timeoutS;
    public readonly string $persistentId;
    /** @var array<string, mixed> PHP's ssl context options */
    public readonly array $tls;
    /** @var list<Address> empty: no Sentinel */
    public readonly array $sentinels;
    public readonly string $sentinelPrimary;
    public readonly int $sentinelRetries;
    /** How long a write that got no answer is sent again: a failover takes longer than a restart. */
    public readonly float $againS;
    public readonly int $compressionThresholdBytes;
    public readonly string $compressionLibrary;
    public readonly int $maxConcurrency;
    public readonly float $breakAfterS;
    public readonly int $leaseMs;
    public readonly int $waitMs;
    public readonly int $firstLifetimeS;
    public readonly int $botFirstLifetimeS;
    public readonly int $botLifetimeS;
    public readonly int $minLifetimeS;
    public readonly int $maxLifetimeS;
    public readonly int $lifetimeS;
    public readonly bool $isLocking;
    /** No locks, and so no native sessions, only because an inherited option says so. */
    public readonly bool $inheritsNoLocking;
    /** @var list<string> a path, or its beginning and a star */
    public readonly array $readOnlyPaths;
    public readonly string $onFenced;
    public readonly string $onUnreachable;
    public readonly string $mode;
    public readonly string $transport;

    /** @var array<string, mixed> */
    private array $options;

    /**
     * @param array<string, mixed> $options an option that is left out or '' has its default
     * @param string $area Magento's area code; it chooses among break_after_… and lease_…
     * @param array<string, mixed> $inherited holds where $options has nothing, not even ''
     * @throws \InvalidArgumentException
     */
    public function __construct(array $options, string $area = 'frontend', array $inherited = [])
    {
        self::refuseUnknown($options + $inherited);
        $this->options = array_filter(
            $options + $inherited,
            static fn (mixed $value): bool => $value !== '' && $value !== null
        ) + self::DEFAULTS;
        $this->readConnection();
        $this->readLocking($area);
        $this->readLifetimes();
        $this->compressionThresholdBytes = $this->integer('compression_threshold', 0, 1 << 30);
        $this->compressionLibrary = $this->choice('compression_library', Codec::libraries());
        $this->onFenced = $this->choice('on_fenced', ['log', 'fail', 'merge']);
        $this->onUnreachable = $this->choice('on_unreachable', ['fail', 'files']);
        $this->mode = $this->choice('mode', ['auto', 'native', 'plain']);
        $this->transport = $this->choice('transport', ['auto', 'phpredis', 'socket']);
        $this->inheritsNoLocking = !$this->isLocking && $this->mode !== 'plain'
            && !array_key_exists('disable_locking', $options);
        if (!$this->isLocking && $this->mode === 'native' && !$this->inheritsNoLocking) {
            throw new \InvalidArgumentException('Session options mode "native" and disable_locking "1" exclude each '
                . 'other: native sessions have locks. Leave one of them out; setReadOnly and read_only_paths read '
                . 'without waiting.');
        }
        $this->options = [];
    }

    public static function isKnown(string $name): bool
    {
        return isset(self::DEFAULTS[$name]) || preg_match('/^(break_after|lease)_[a-z_]+$/D', $name) === 1;
    }

    /** Whether a page of this path only reads its session. */
    public function isReadOnly(string $path): bool
    {
        foreach ($this->readOnlyPaths as $pattern) {
            $isBeginning = str_ends_with($pattern, '*');
            if ($isBeginning ? str_starts_with($path, substr($pattern, 0, -1)) : $path === $pattern) {
                return true;
            }
        }
        return false;
    }

    private function readConnection(): void
    {
        $tls = $this->options['tls'];
        $this->tls = is_array($tls) ? $tls : throw self::wrong('tls', $tls, 'an array of PHP\'s ssl context options');
        $usesTls = $tls !== [];
        $this->address = Address::fromHost($this->text('host'), $this->integer('port', 0, 65535), $usesTls);
        $this->database = $this->integer('database', 0, 1 << 20);
        $this->username = $this->text('username');
        $this->password = $this->text('password');
        $this->timeoutS = $this->number('timeout', 0.001, 60);
        $this->persistentId = $this->text('persistent_identifier');
        $this->sentinelPrimary = $this->text('sentinel_master');
        $this->sentinelRetries = $this->integer('sentinel_connect_retries', 0, 100);
        $servers = $this->options['sentinel_servers'];
        $names = is_array($servers) ? $servers : preg_split('/[\s,]+/', $this->text('sentinel_servers'));
        $this->sentinels = array_map(
            static fn (mixed $name): Address => Address::fromText((string) $name, Sentinel::PORT, $usesTls),
            array_values(array_filter($names ?: []))
        );
        $this->againS = $this->timeoutS * ($this->sentinels === [] ? 1 : 1 + $this->sentinelRetries);
        if ($this->sentinels !== [] && $this->sentinelPrimary === '') {
            throw new \InvalidArgumentException('Session option sentinel_servers needs sentinel_master, the name that '
                . 'the Sentinels know the primary by.');
        }
    }

    private function readLocking(string $area): void
    {
        foreach (self::AREA_OPTIONS as $name => $default) {
            $this->options["{$name}_$area"] ??= $default;
        }
        $this->maxConcurrency = $this->integer('max_concurrency', 1, 100000);
        $this->breakAfterS = $this->number("break_after_$area", 0.5, 86400);
        $this->leaseMs = (int) round(1000 * $this->number("lease_$area", 0.1, 86400));
        $this->waitMs = (int) round(1000 * $this->number('wait', 0, 600));
        $this->isLocking = $this->choice('disable_locking', ['0', '1']) === '0';
        $paths = $this->options['read_only_paths'];
        if (!is_array($paths) || array_filter($paths, static fn (mixed $path): bool => !is_string($path)) !== []) {
            throw self::wrong('read_only_paths', $paths, 'an array of paths, such as "/rest/V1/directory/*"');
        }
        $this->readOnlyPaths = array_values($paths);
    }

    private function readLifetimes(): void
    {
        $this->firstLifetimeS = $this->integer('first_lifetime', 0, self::MAX_S);
        $this->botFirstLifetimeS = $this->integer('bot_first_lifetime', 0, self::MAX_S);
        $this->botLifetimeS = $this->integer('bot_lifetime', 0, self::MAX_S);
        $this->minLifetimeS = $this->integer('min_lifetime', 1, self::MAX_S);
        $this->maxLifetimeS = $this->integer('max_lifetime', 1, self::MAX_S);
        $this->lifetimeS = $this->integer('lifetime', 0, PHP_INT_MAX);
    }

    private function text(string $name): string
    {
        $value = $this->options[$name];
        return is_scalar($value) ? (string) $value : throw self::wrong($name, $value, 'a text');
    }

    private function integer(string $name, int $least, int $most): int
    {
        $number = filter_var($this->text($name), FILTER_VALIDATE_INT);
        if ($number === false || $number < $least || $number > $most) {
            throw self::wrong($name, $this->options[$name], "a whole number from $least to $most");
        }
        return $number;
    }

    private function number(string $name, float $least, float $most): float
    {
        $text = $this->text($name);
        if (!is_numeric($text) || (float) $text < $least || (float) $text > $most) {
            throw self::wrong($name, $text, "a number of seconds from $least to $most");
        }
        return (float) $text;
    }

    /** @param list<string> $allowed */
    private function choice(string $name, array $allowed): string
    {
        $value = $this->options[$name];
        // false is '' as a text, but an env.php may well say it.
        $text = is_bool($value) ? (string) (int) $value : $this->text($name);
        return in_array($text, $allowed, true) ? $text : throw self::wrong($name, $text, implode(', ', $allowed));
    }

    /** @param array<string, mixed> $options */
    private static function refuseUnknown(array $options): void
    {
        foreach (array_keys($options) as $name) {
            if (!self::isKnown((string) $name)) {
                throw new \InvalidArgumentException("Session option \"$name\" is unknown. There are: "
                    . implode(', ', array_keys(self::DEFAULTS)) . '.');
            }
        }
    }

    private static function wrong(string $name, mixed $value, string $allowed): \InvalidArgumentException
    {
        // A password that is an array must not get into a log.
        $shown = is_scalar($value) && $name !== 'password' ? json_encode($value) : get_debug_type($value);
        return new \InvalidArgumentException("Session option $name is $shown; it may be: $allowed.");
    }
}
