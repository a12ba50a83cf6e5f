<?php

declare(strict_types=1);

namespace Cloakroom\Session;

use Cloakroom\Session\Error\Fenced;
use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\Error\TooMany;
use Cloakroom\Session\Error\Unreachable;
use Cloakroom\Session\Wire\ErrorReply;
use Cloakroom\Session\Wire\Wire;

/**
 * Sessions by Cloakroom's own commands: the server keeps the queue, and hands the lock on at once.
 *
 * The lock ends with the connection, so no death of this process leaves one. A write names the version that it is based
 * on, so it can be sent again on another connection, and can never overwrite what it has not seen.
 */
final class NativeStore implements Store
{
    /** For what does not wait, the first time: longer than a slow disk or a failover holds up an answer. */
    private const ANSWER_S = 10.0;

    /** How much later than the wait's end the answer to OPEN may come. */
    private const WAIT_MARGIN_S = 2.0;

    /** The last try begins when the time is over, and would be in vain with nothing. */
    private const LEAST_S = 0.1;

    /** Before a command is sent again: the first pause, and the longest. Each is twice the one before. */
    private const FIRST_PAUSE_US = 50_000;
    private const LONGEST_PAUSE_US = 400_000;

    /** What a server says that has become a replica: to who waits, and to who comes. */
    private const DEMOTED = ['UNBLOCKED', 'READONLY'];

    private const NOTE = ' (sent again after the connection broke; it may have been done the first time)';
    private const PAGE_BYTES = 256;
    private const OWNER_BYTES = 64;

    private bool $cleared = false;

    /** How many connections there were, and over which of them the lock was taken. */
    private int $connection = 0;
    private int $lockConnection = 0;

    /**
     * @param \Closure(int): void $sleep for so many microseconds
     * @param \Closure(): float $now seconds
     */
    public function __construct(
        private readonly Wire $wire,
        private readonly Settings $settings,
        private readonly \Closure $sleep,
        private readonly \Closure $now
    ) {
    }

    public function open(string $key, Request $request, ?State $known = null): State
    {
        $reply = $this->queue($key, $request, $known);
        if (!$reply instanceof ErrorReply) {
            return $this->granted($reply, $known);
        }
        return match ($reply->code()) {
            'LOCKED' => $this->readUnlocked($key, $known, $reply->message),
            'TOOMANY' => throw new TooMany("Session: {$reply->message}"),
            default => throw Refused::reply('SESSION.OPEN', $reply),
        };
    }

    public function read(string $key): State
    {
        return $this->readUnlocked($key, null, null);
    }

    public function extend(string $key, int $ttlS): void
    {
        $this->expect('EXPIRE', $this->ask(['EXPIRE', $key, (string) $ttlS, 'GT']));
    }

    public function alwaysWrites(): bool
    {
        return false;
    }

    public function commit(string $key, Request $request, State $held, ?string $data, int $ttlS): void
    {
        $writes = $this->send($key, $held->fence, $data, $ttlS, $held->version);
        if ($writes === 0 && $data === null && $held->data !== null) {
            // The session expired, or was evicted, since it was read, and without data nothing makes it anew.
            try {
                $this->send($key, $held->fence, $held->data, $ttlS, State::ABSENT);
            } catch (Fenced $failure) {
                throw Fenced::afterExpiry($failure);
            }
        }
    }

    public function release(string $key, Request $request, State $held): void
    {
        // Over a new connection there is nothing to release: the lock ended with the old one.
        if ($this->wire->isConnected()) {
            $this->expect('SESSION.RELEASE', $this->ask(['SESSION.RELEASE', $key, (string) $held->fence]));
        }
    }

    public function destroy(string $key): void
    {
        $this->expect('SESSION.DESTROY', $this->askAgain(['SESSION.DESTROY', $key]));
    }

    public function holder(string $key): string
    {
        try {
            $info = $this->ask(['SESSION.INFO', $key]);
        } catch (\RuntimeException) {
            return 'unknown';
        }
        $fields = [];
        for ($at = 0; is_array($info) && $at + 1 < count($info); $at += 2) {
            $fields[is_string($info[$at]) ? $info[$at] : ''] = $info[$at + 1];
        }
        $words = array_filter([$fields['owner'] ?? '', $fields['req'] ?? ''], static fn (mixed $word): bool
            => is_string($word) && $word !== '');
        return $words === [] ? 'nobody now' : implode(' ', $words);
    }

    public function disconnect(): void
    {
        $this->wire->disconnect();
    }

    /**
     * Sends COMMIT until it is answered. That may be done: it names the version that it is based on.
     *
     * @return mixed how often the session has been written; 0: there is none
     * @throws Fenced
     */
    private function send(string $key, int $fence, ?string $data, int $ttlS, string $version): mixed
    {
        $content = $data === null ? [] : ['DATA', $data];
        $command = ['SESSION.COMMIT', $key, (string) $fence, ...$content, 'EX', (string) $ttlS, 'IF', $version];
        $note = '';
        $reply = $this->insist(function (?float $leftS) use ($command, &$note): mixed {
            try {
                return $this->ask($command, self::answerS($leftS), $leftS);
            } catch (Unreachable $failure) {
                $note = $failure->sent ? self::NOTE : $note;
                throw $failure;
            }
        });
        if ($reply instanceof ErrorReply && $reply->code() === 'FENCED') {
            // Who repeats a write that was done, and overwritten since, is told the same.
            throw new Fenced($reply->message . $note, $this->connection !== $this->lockConnection);
        }
        return $this->expect('SESSION.COMMIT', $reply);
    }

    /** Waits for the lock; queues anew where the server restarts or fails over meanwhile. */
    private function queue(string $key, Request $request, ?State $known): mixed
    {
        $waitS = $this->settings->waitMs / 1000;
        $until = ($this->now)() + $waitS;
        $mayHaveBroken = $this->wire->isConnected() || $this->wire->isPersistent();
        return $this->insist(function (?float $leftS) use ($key, $request, $known, $until): mixed {
            $waitS = max(0.0, $until - ($this->now)());
            $answerS = $waitS + self::WAIT_MARGIN_S;
            // Who queues anew may wait as long as before: the server is there, and the lock is with somebody else.
            $timeoutS = $waitS > 0 ? $answerS : min($answerS, $leftS ?? $answerS);
            return $this->ask($this->openCommand($key, $request, $known, $waitS), $timeoutS, $leftS);
        }, $waitS + self::WAIT_MARGIN_S, $mayHaveBroken);
    }

    /** @return list<string> */
    private function openCommand(string $key, Request $request, ?State $known, float $waitS): array
    {
        $unless = $known === null ? [] : ['IFCHANGED', $known->version];
        return [
            'SESSION.OPEN', $key,
            'WAIT', (string) (int) round(1000 * $waitS),
            'LEASE', (string) $this->settings->leaseMs,
            'LIMIT', (string) $this->settings->maxConcurrency,
            'OWNER', self::shortOwner($request->owner),
            'REQ', substr($request->page(), 0, self::PAGE_BYTES),
            ...$unless,
        ];
    }

    /** "host|pid", of a long host its beginning: the process is what an operator looks for. */
    private static function shortOwner(string $owner): string
    {
        $parts = explode('|', $owner, 2);
        $process = isset($parts[1]) ? '|' . $parts[1] : '';
        return substr($parts[0], 0, max(0, self::OWNER_BYTES - strlen($process))) . $process;
    }

    private function granted(mixed $reply, ?State $known): State
    {
        try {
            $state = State::fromReply($reply, $known);
            $this->lockConnection = $this->connection;
            return $state;
        } catch (Refused $failure) {
            // Whatever lock this was, it ends here.
            $this->wire->disconnect();
            throw $failure;
        }
    }

    private function readUnlocked(string $key, ?State $known, ?string $refusal): State
    {
        $unless = $known === null ? [] : ['IFCHANGED', $known->version];
        $reply = $this->askAgain(['SESSION.READ', $key, ...$unless]);
        return State::fromReply($this->expect('SESSION.READ', $reply), $known, $refusal);
    }

    /**
     * One command, behind what a new connection needs.
     *
     * @param list<string> $command
     * @param float|null $leftS for one that is sent again, see Wire
     */
    private function ask(array $command, float $timeoutS = self::ANSWER_S, ?float $leftS = null): mixed
    {
        $until = ($this->now)() + $timeoutS;
        $first = [];
        if (!$this->wire->isConnected()) {
            ++$this->connection;
            $first = $this->opening();
        }
        $replies = $this->wire->batch([...$first, $command], $timeoutS, $leftS);
        $this->cleared = true;
        $select = array_search('SELECT', array_column($first, 0), true);
        if ($select !== false) {
            $selectS = $leftS === null ? self::ANSWER_S : max(self::LEAST_S, $until - ($this->now)());
            $this->checkSelect($replies[$select] ?? $this->wire->batch([$first[$select]], $selectS)[0]);
        }
        return end($replies);
    }

    /** What follows a refused SELECT was done in another database. */
    private function checkSelect(mixed $reply): void
    {
        if ($reply instanceof ErrorReply) {
            $this->wire->disconnect();
            throw Refused::reply("SELECT {$this->settings->database}", $reply);
        }
    }

    /** @return list<list<string>> */
    private function opening(): array
    {
        $first = [];
        if ($this->wire->isPersistent() && !$this->cleared) {
            // The request before may have ended without releasing. Its database is still selected.
            $first[] = ['SESSION.RESET'];
        }
        if ($this->wire->isPersistent() || $this->settings->database !== 0) {
            $first[] = ['SELECT', (string) $this->settings->database];
        }
        return $first;
    }

    /**
     * For what may be done twice: a kept connection may have been closed by the server since.
     *
     * @param list<string> $command
     */
    private function askAgain(array $command): mixed
    {
        $mayHaveBroken = $this->wire->isConnected() || $this->wire->isPersistent();
        $ask = fn (?float $leftS): mixed => $this->ask($command, self::answerS($leftS), $leftS);
        return $this->insist($ask, self::ANSWER_S, $mayHaveBroken);
    }

    private static function answerS(?float $leftS): float
    {
        return min(self::ANSWER_S, $leftS ?? self::ANSWER_S);
    }

    /**
     * Does again what may be done again, each time over a new connection, until a primary answers or the time is over
     * in which a server restarts or fails over. A server that stops may still take connections, and break them.
     *
     * That time begins when the first try was sent and failed, or, if it found no server, when it began. The whole ends
     * after $answerS, Settings::$againS and what one connection takes.
     *
     * @param \Closure(float|null): mixed $ask gets the time left; null: the first time
     * @param float $answerS how long the first answer may take
     * @param bool $evenUnsent whether to do it again if the first time there was no connection at all
     * @return mixed the reply; of a replica, if no other came
     * @throws Unreachable the last one
     */
    private function insist(\Closure $ask, float $answerS = self::ANSWER_S, bool $evenUnsent = true): mixed
    {
        $began = ($this->now)();
        $until = null;
        $leftS = null;
        for ($pauseUs = self::FIRST_PAUSE_US;; $pauseUs = min(2 * $pauseUs, self::LONGEST_PAUSE_US)) {
            $reply = null;
            $failure = null;
            try {
                $reply = $ask($leftS);
                if (!$reply instanceof ErrorReply || !in_array($reply->code(), self::DEMOTED, true)) {
                    return $reply;
                }
            } catch (Unreachable $failure) {
                if ($until === null && !$failure->sent && !$evenUnsent) {
                    throw $failure;
                }
            }
            $this->wire->disconnect();
            $foundNone = $failure !== null && !$failure->sent;
            $until ??= $this->settings->againS + ($foundNone ? $began : min(($this->now)(), $began + $answerS));
            $leftUs = (int) (1e6 * ($until - ($this->now)()));
            if ($leftUs <= 0) {
                return $failure === null ? $reply : throw $failure;
            }
            ($this->sleep)(min($pauseUs, $leftUs));
            $leftS = max(self::LEAST_S, $until - ($this->now)());
        }
    }

    private function expect(string $command, mixed $reply): mixed
    {
        return $reply instanceof ErrorReply ? throw Refused::reply($command, $reply) : $reply;
    }
}
