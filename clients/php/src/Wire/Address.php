<?php

declare(strict_types=1);

namespace Cloakroom\Session\Wire;

/** Where a server listens: a host with a port, or the path of a unix socket. */
final class Address
{
    public function __construct(
        public readonly string $host,
        public readonly int $port,
        public readonly bool $tls = false
    ) {
    }

    /** Reads what env.php has as a host: a name, an IP address, a path, or one of these behind tcp://, tls:// or unix://. */
    public static function fromHost(string $host, int $port, bool $tls = false): self
    {
        [$scheme, $rest] = str_contains($host, '://') ? explode('://', $host, 2) : ['', $host];
        return match (strtolower($scheme)) {
            '', 'tcp', 'redis' => new self($rest, $port, $tls),
            'tls', 'ssl', 'rediss' => new self($rest, $port, true),
            'unix' => new self($rest, 0),
            default => throw new \InvalidArgumentException("host \"$host\": use tcp://, tls:// or unix://"),
        };
    }

    /** Reads "host:port", "host", "[ipv6]:port" or the same behind a scheme, as lists of Sentinels have it. */
    public static function fromText(string $text, int $defaultPort, bool $tls = false): self
    {
        if (preg_match('~^(?<host>.*[^:]):(?<port>[0-9]{1,5})$~', $text, $found) !== 1) {
            return self::fromHost(trim($text, '[]'), $defaultPort, $tls);
        }
        return self::fromHost(str_replace(['[', ']'], '', $found['host']), (int) $found['port'], $tls);
    }

    public function isUnix(): bool
    {
        return str_starts_with($this->host, '/');
    }

    /** As PHP's stream functions want it. */
    public function url(): string
    {
        if ($this->isUnix()) {
            return "unix://{$this->host}";
        }
        $host = str_contains($this->host, ':') ? "[{$this->host}]" : $this->host;
        return ($this->tls ? 'tls' : 'tcp') . "://$host:{$this->port}";
    }
}
