<?php

declare(strict_types=1);

namespace Cloakroom\Session\Error;

/** So many requests wait for this session already that one more would only use up a PHP worker: answer 503. */
final class TooMany extends SessionError
{
    /** What the Retry-After header of the 503 says. */
    public const RETRY_AFTER_S = 1;
}
