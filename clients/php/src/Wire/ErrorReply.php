<?php

declare(strict_types=1);

namespace Cloakroom\Session\Wire;

/** An error that a server answered. It is a reply like others: who asked decides what it means. */
final class ErrorReply
{
    public function __construct(public readonly string $message)
    {
    }

    /** The first word: ERR, LOCKED, FENCED, READONLY … */
    public function code(): string
    {
        return explode(' ', $this->message, 2)[0];
    }

    public function isUnknownCommand(): bool
    {
        return str_starts_with($this->message, 'ERR unknown command');
    }
}
