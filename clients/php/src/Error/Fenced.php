<?php

declare(strict_types=1);

namespace Cloakroom\Session\Error;

/** The lock was lost before the write, so the write was refused. Nothing has changed on the server. */
final class Fenced extends SessionError
{
    private bool $hadExpired = false;

    /** @param bool $lostConnection whether the lock had ended with its connection */
    public function __construct(string $message, private readonly bool $lostConnection = false)
    {
        parent::__construct($message);
    }

    /** Of a session that expired while it was open: it could not be made anew. */
    public static function afterExpiry(self $refusal): self
    {
        $same = new self("{$refusal->getMessage()}; the session had expired, and somebody else opened it first");
        $same->hadExpired = true;
        return $same;
    }

    /** What this request has read is lost then, whether or not it changed anything. */
    public function losesWhatWasRead(): bool
    {
        return $this->hadExpired;
    }

    /** There is no session any more, and nobody can say why: it may as well have expired as been deleted. */
    public function mayHaveExpired(): bool
    {
        return $this->lostConnection && str_starts_with($this->getMessage(), 'FENCED deleted');
    }

    /** Somebody wrote who had no lock. The content may still be what it was. */
    public function isByAWriteBesideTheLock(): bool
    {
        return !$this->hadExpired && str_starts_with($this->getMessage(), 'FENCED changed');
    }
}
