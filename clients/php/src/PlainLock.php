<?php

declare(strict_types=1);

namespace Cloakroom\Session;

use Cloakroom\Session\Error\TooMany;

/**
 * One request's wait for the counted lock in a session's hash, by the library's rules:
 *
 * - Every half second count the lock up; from 0 to 1 it is mine.
 * - After break_after it is mine anyway, unless its owner has changed since the last try.
 * - The field "wait" counts who waits. From max_concurrency on the request is refused, unless the counts show that one
 *   of them died.
 * - Every 20 tries look whether the owner's process is still there, if it is on this machine.
 * - 15 s after break_after give up.
 */
final class PlainLock
{
    private const TICK_US = 500_000;
    private const TICKS_PER_S = 2;
    private const ZOMBIE_TRIES = 20;

    /** One longer sleep lets the other waiters count in between, so that the counts can be compared. */
    private const COUNTING_US = 10_000;
    private const FAIL_AFTER_S = 15;

    private int $tries = 0;
    private int $lock = 0;
    private int $waiting = 0;
    private ?string $owner = null;
    private ?string $ownerBefore = null;
    private bool $comparesCounts = false;

    /**
     * @param \Closure(list<string>): mixed $ask
     * @param \Closure(int): void $sleep
     */
    public function __construct(
        private readonly \Closure $ask,
        private readonly \Closure $sleep,
        private readonly Settings $settings,
        private readonly string $key,
        private readonly string $self
    ) {
    }

    /**
     * @return bool false: gave up
     * @throws TooMany
     */
    public function acquire(): bool
    {
        $breakTries = (int) round(self::TICKS_PER_S * $this->settings->breakAfterS);
        while (true) {
            $before = $this->lock;
            $this->lock = $this->count('lock', 1);
            if ($this->lock !== 1 && $this->tries + 1 >= $breakTries) {
                $this->owner = $this->field('pid');
            }
            $mayBreak = $this->tries >= $breakTries && $this->owner === $this->ownerBefore;
            if ($this->lock === 1 || $mayBreak) {
                return true;
            }
            if (!$this->joinsWaiters($before)) {
                continue;
            }
            ++$this->tries;
            $this->ownerBefore = $this->owner;
            if ($this->tries % self::ZOMBIE_TRIES === 0 && $this->freesFromDeadOwner()) {
                continue;
            }
            if ($this->tries >= $breakTries + self::TICKS_PER_S * self::FAIL_AFTER_S) {
                return false;
            }
            $this->rest();
        }
    }

    /** How often somebody else had it. After acquire() a request with any has to leave the field "wait". */
    public function tries(): int
    {
        return $this->tries;
    }

    /** Whether the lock was taken over from a holder. */
    public function isBroken(): bool
    {
        return $this->lock !== 1;
    }

    public function brokenOwner(): string
    {
        return (string) $this->owner;
    }

    private function rest(): void
    {
        $isCounting = $this->tries % self::ZOMBIE_TRIES === 1;
        $this->comparesCounts = $this->comparesCounts || $isCounting;
        ($this->sleep)(self::TICK_US + ($isCounting ? self::COUNTING_US : 0));
    }

    /** False when the count of waiters had a dead one in it: it is out now, and the lock is to be tried again at once. */
    private function joinsWaiters(int $lockBefore): bool
    {
        if ($this->waiting === 0) {
            // A crash may have left it negative.
            for ($i = 0; $i < max(1, $this->settings->maxConcurrency) && $this->waiting < 1; ++$i) {
                $this->waiting = $this->count('wait', 1);
            }
            return true;
        }
        if ($this->comparesCounts) {
            $this->comparesCounts = false;
            // All that wait count the lock up once in a tick, the living ones.
            if ($this->lock > $lockBefore && $this->lock + 1 < $lockBefore + $this->waiting) {
                $this->waiting = $this->count('wait', -1);
                return false;
            }
        }
        if ($this->waiting >= $this->settings->maxConcurrency) {
            $this->count('wait', -1);
            $writes = (int) $this->field('writes');
            throw new TooMany("Session: TOOMANY {$this->waiting} wait already, at write $writes");
        }
        return true;
    }

    private function freesFromDeadOwner(): bool
    {
        $owner = $this->field('pid');
        if ($owner === null || $owner === '' || $this->lives($owner)) {
            return false;
        }
        ($this->ask)(['HSET', $this->key, 'lock', '0']);
        return true;
    }

    /** Of another machine nobody knows. A native owner has a third part, the fence. */
    private function lives(string $owner): bool
    {
        [$host, $process] = [...explode('|', $owner), ''];
        $isHere = PHP_OS_FAMILY === 'Linux' && $host === explode('|', $this->self)[0];
        return !$isHere || !is_numeric($process) || file_exists("/proc/$process");
    }

    private function count(string $field, int $by): int
    {
        return (int) ($this->ask)(['HINCRBY', $this->key, $field, (string) $by]);
    }

    private function field(string $name): ?string
    {
        $value = ($this->ask)(['HGET', $this->key, $name]);
        return is_string($value) ? $value : null;
    }
}
