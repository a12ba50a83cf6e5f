<?php

declare(strict_types=1);

namespace Cloakroom\Session\Error;

/** The lock was lost before the write, so the write was refused. Nothing has changed on the server. */
final class Fenced extends SessionError
{
    /** Somebody wrote who had no lock. The content may still be what it was. */
    public function isByAWriteBesideTheLock(): bool
    {
        return str_starts_with($this->getMessage(), 'FENCED changed');
    }
}
