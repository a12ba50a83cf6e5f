<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Support;

/** Keeps what a handler logs. */
final class Log
{
    /** @var list<string> "level: message" */
    public array $lines = [];

    public function writer(): \Closure
    {
        return function (string $level, string $message): void {
            $this->lines[] = "$level: $message";
        };
    }

    public function text(): string
    {
        return implode("\n", $this->lines);
    }
}
