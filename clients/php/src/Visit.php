<?php

declare(strict_types=1);

namespace Cloakroom\Session;

/** One session from read to close in one request. */
final class Visit
{
    /** Beyond this only a hash of the data is kept, to see whether it has changed. */
    private const KEPT_BYTES = 64 << 10;

    /** A COMMIT that waits for a restart may come late; what it writes for nothing costs little. */
    private const EXPIRY_MARGIN_MS = 5000;

    private readonly int $beganNs;
    private readonly int $processId;
    private readonly bool $isHashed;
    private readonly string $original;
    private bool $holds;

    /**
     * @param string $data what read() returns
     * @param bool $keepsAll whether original() will be needed
     */
    public function __construct(
        public readonly string $id,
        public readonly string $key,
        public readonly Request $request,
        public readonly State $state,
        string $data,
        bool $keepsAll
    ) {
        $this->beganNs = (int) hrtime(true);
        $this->processId = (int) getmypid();
        $this->holds = $state->isLocked();
        $this->isHashed = !$keepsAll && strlen($data) > self::KEPT_BYTES;
        $this->original = $this->isHashed ? self::hash($data) : $data;
    }

    /** A forked child does not have its parent's lock. */
    public function holdsLock(): bool
    {
        return $this->holds && $this->processId === getmypid();
    }

    public function lockIsGone(): void
    {
        $this->holds = false;
    }

    public function isUnchanged(string $data): bool
    {
        return ($this->isHashed ? self::hash($data) : $data) === $this->original;
    }

    /** Whether the session was written or destroyed: who reads it again has to open it again. */
    public function isOver(): bool
    {
        return $this->state->isLocked() && !$this->holds;
    }

    /** What was read; only with keepsAll. */
    public function original(): string
    {
        return $this->original;
    }

    /** Whether the session's time to live, as it was when it was read, is over, or about to be. */
    public function mayHaveExpired(): bool
    {
        $passedMs = (hrtime(true) - $this->beganNs) / 1e6;
        return $this->state->ttlMs >= 0 && $this->state->ttlMs < $passedMs + self::EXPIRY_MARGIN_MS;
    }

    private static function hash(string $data): string
    {
        return hash('sha256', $data, true);
    }
}
