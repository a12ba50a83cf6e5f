<?php

declare(strict_types=1);

namespace Cloakroom\Session;

/** Who asks for a session, and for which page: what lock holders show to others, and what lifetimes go by. */
final class Request
{
    /**
     * @param string $owner host|pid, as plain clients write it
     * @param string $line method, host and URI, or the script's name
     * @param string $path of the URI, without the query, which may hold secrets
     */
    public function __construct(
        public readonly string $owner,
        public readonly string $line,
        public readonly string $path = '',
        public readonly string $userAgent = ''
    ) {
    }

    /** @param array<string, mixed> $server PHP's $_SERVER */
    public static function fromServer(array $server): self
    {
        $text = static fn (string $name): string => is_string($server[$name] ?? null) ? $server[$name] : '';
        $uri = $text('REQUEST_URI');
        $line = $text('REQUEST_METHOD') === ''
            ? $text('SCRIPT_NAME')
            : "{$text('REQUEST_METHOD')} {$text('SERVER_NAME')}$uri";
        return new self(gethostname() . '|' . getmypid(), $line, explode('?', $uri, 2)[0], $text('HTTP_USER_AGENT'));
    }

    /** The line without its query. */
    public function page(): string
    {
        return explode('?', $this->line, 2)[0];
    }
}
