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
    /** For what does not wait: longer than a slow disk or a failover holds up an answer. */
    private const ANSWER_S = 10.0;

    /** How much later than the wait's end the answer to OPEN may come. */
    private const WAIT_MARGIN_S = 2.0;

    private const PAUSE_US = 100_000;

    /** What a server says that has become a replica: to who waits, and to who comes. */
    private const DEMOTED = ['UNBLOCKED', 'READONLY'];
    private const PAGE_BYTES = 256;
    private const OWNER_BYTES = 64;

    private bool $cleared = false;

    /** @param \Closure(int): void $sleep for so many microseconds */
    public function __construct(
        private readonly Wire $wire,
        private readonly Settings $settings,
        private readonly \Closure $sleep
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
        $content = $data === null ? [] : ['DATA', $data];
        $command = [
            'SESSION.COMMIT', $key, (string) $held->fence, ...$content, 'EX', (string) $ttlS, 'IF', $held->version,
        ];
        $repeated = false;
        try {
            $reply = $this->ask($command);
        } catch (Unreachable) {
            $reply = null;
        }
        if ($reply === null || ($reply instanceof ErrorReply && $reply->code() === 'READONLY')) {
            $repeated = true;
            $this->wire->disconnect();
            $reply = $this->askWhenBack($command);
        }
        if ($reply instanceof ErrorReply && $reply->code() === 'FENCED') {
            // Who repeats a write that was done, and overwritten since, is told the same.
            $note = $repeated ? ' (sent again after the connection broke; it may have been done the first time)' : '';
            throw new Fenced($reply->message . $note);
        }
        $this->expect('SESSION.COMMIT', $reply);
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
        $this->expect('SESSION.DESTROY', $this->askTwice(['SESSION.DESTROY', $key]));
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

    /** Waits for the lock; queues anew where the server restarts or fails over meanwhile. */
    private function queue(string $key, Request $request, ?State $known): mixed
    {
        $waitS = $this->settings->waitMs / 1000;
        $until = microtime(true) + $waitS;
        $mayHaveBroken = $this->wire->isConnected() || $this->wire->isPersistent();
        try {
            $reply = $this->ask($this->openCommand($key, $request, $known, $waitS), $waitS + self::WAIT_MARGIN_S);
        } catch (Unreachable $failure) {
            if (!$failure->sent && !$mayHaveBroken) {
                throw $failure;
            }
            $reply = null;
        }
        if ($reply !== null && !($reply instanceof ErrorReply && in_array($reply->code(), self::DEMOTED, true))) {
            return $reply;
        }
        $this->wire->disconnect();
        $leftS = max(0.0, $until - microtime(true));
        return $this->askWhenBack($this->openCommand($key, $request, $known, $leftS), $leftS + self::WAIT_MARGIN_S);
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
            return State::fromReply($reply, $known);
        } catch (Refused $failure) {
            // Whatever lock this was, it ends here.
            $this->wire->disconnect();
            throw $failure;
        }
    }

    private function readUnlocked(string $key, ?State $known, ?string $refusal): State
    {
        $unless = $known === null ? [] : ['IFCHANGED', $known->version];
        $reply = $this->askTwice(['SESSION.READ', $key, ...$unless]);
        return State::fromReply($this->expect('SESSION.READ', $reply), $known, $refusal);
    }

    /**
     * One command, behind what a new connection needs.
     *
     * @param list<string> $command
     */
    private function ask(array $command, float $timeoutS = self::ANSWER_S): mixed
    {
        $first = $this->wire->isConnected() ? [] : $this->opening();
        $replies = $this->wire->batch([...$first, $command], $timeoutS);
        $this->cleared = true;
        $select = array_search('SELECT', array_column($first, 0), true);
        if ($select !== false) {
            $this->checkSelect($replies[$select] ?? $this->wire->batch([$first[$select]], self::ANSWER_S)[0]);
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
    private function askTwice(array $command): mixed
    {
        $mayHaveBroken = $this->wire->isConnected() || $this->wire->isPersistent();
        try {
            return $this->ask($command);
        } catch (Unreachable $failure) {
            return $mayHaveBroken ? $this->ask($command) : throw $failure;
        }
    }

    /**
     * Sends a command that may be sent again, waiting for a server that restarts or fails over.
     *
     * @param list<string> $command
     */
    private function askWhenBack(array $command, float $timeoutS = self::ANSWER_S): mixed
    {
        $tries = max(1, (int) ($this->settings->timeoutS * 1e6 / self::PAUSE_US));
        for (;; --$tries) {
            try {
                return $this->ask($command, $timeoutS);
            } catch (Unreachable $failure) {
                if ($failure->sent || $tries <= 1) {
                    throw $failure;
                }
                ($this->sleep)(self::PAUSE_US);
            }
        }
    }

    private function expect(string $command, mixed $reply): mixed
    {
        return $reply instanceof ErrorReply ? throw Refused::reply($command, $reply) : $reply;
    }
}
