<?php

declare(strict_types=1);

namespace Cloakroom\Session\Error;

/** There is no working connection to the server: none could be made, it broke, or an answer did not come in time. */
final class Unreachable extends SessionError
{
    /** @param bool $sent whether the commands were sent, so that the server may have executed them */
    public function __construct(string $message, public readonly bool $sent = false, ?\Throwable $previous = null)
    {
        parent::__construct($message, 0, $previous);
    }
}
