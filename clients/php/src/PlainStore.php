<?php

declare(strict_types=1);

namespace Cloakroom\Session;

use Cloakroom\Session\Error\Fenced;
use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\Error\SessionError;
use Cloakroom\Session\Wire\ErrorReply;
use Cloakroom\Session\Wire\Wire;

/**
 * Sessions as php-redis-session-abstract keeps them, for servers that know only Redis' commands.
 *
 * Each step is the library's, so both can serve one shop at the same time: the lock is a counter in the session's hash,
 * and whoever counts it from 0 to 1 has it. One thing is ours: a request that ends without writing gives its lock back.
 */
final class PlainStore implements Store
{
    private const ANSWER_S = 10.0;

    /** Long enough for any page; the write then sets the right one. */
    private const OPEN_TTL_S = 21600;

    private ?SessionError $notExtended = null;

    /** @param \Closure(int): void $sleep for so many microseconds */
    public function __construct(
        private readonly Wire $wire,
        private readonly Settings $settings,
        private readonly \Closure $sleep
    ) {
    }

    public function open(string $key, Request $request, ?State $known = null): State
    {
        $this->select();
        if (!$this->settings->isLocking) {
            // Whoever does not lock may always write.
            return $this->load($key, 1);
        }
        $lock = new PlainLock($this->ask(...), $this->sleep, $this->settings, $key, $request->owner);
        $isMine = $lock->acquire();
        try {
            return $this->enter($key, $request, $lock, $isMine);
        } catch (\Throwable $failure) {
            if ($isMine) {
                $this->free($key);
            }
            throw $failure;
        }
    }

    public function read(string $key): State
    {
        $this->select();
        $state = $this->load($key, 0, false);
        $this->notExtended = null;
        try {
            $this->ask(self::extension($key));
        } catch (SessionError $failure) {
            // The page has its data, and extend() says the rest.
            $this->notExtended = $failure;
            return new State(0, $state->data, $state->writes, '', 0);
        }
        return $state;
    }

    /** Reading has done it already, or it is told here why not. */
    public function extend(string $key, int $ttlS): void
    {
        if ($this->notExtended !== null) {
            throw $this->notExtended;
        }
    }

    public function alwaysWrites(): bool
    {
        return true;
    }

    public function commit(string $key, Request $request, State $held, ?string $data, int $ttlS): void
    {
        if ($this->settings->database !== 0) {
            $this->select();
        }
        if ($this->settings->isLocking) {
            $owner = $this->ask(['HGET', $key, 'pid']);
            if (is_string($owner) && $owner !== '' && $owner !== $request->owner) {
                throw new Fenced("FENCED taken by $owner");
            }
        }
        $this->askAll([
            ['SELECT', (string) $this->settings->database],
            ['HMSET', $key, 'data', (string) $data, 'lock', '0'],
            ['HINCRBY', $key, 'writes', '1'],
            ['EXPIRE', $key, (string) $ttlS],
        ]);
    }

    public function release(string $key, Request $request, State $held): void
    {
        if (!$this->settings->isLocking) {
            return;
        }
        $this->selectIfNew();
        if ($this->ask(['HGET', $key, 'pid']) === $request->owner) {
            $this->free($key);
        }
    }

    public function destroy(string $key): void
    {
        $select = $this->settings->database === 0 ? [] : [['SELECT', (string) $this->settings->database]];
        $this->askAll([...$select, ['UNLINK', $key]]);
    }

    public function holder(string $key): string
    {
        try {
            $this->selectIfNew();
            $fields = $this->ask(['HMGET', $key, 'pid', 'req']);
        } catch (\RuntimeException) {
            return 'unknown';
        }
        $words = is_array($fields) ? array_filter($fields, is_string(...)) : [];
        return $words === [] ? 'nobody now' : implode(' ', $words);
    }

    public function disconnect(): void
    {
        $this->wire->disconnect();
    }

    /** Reads behind the lock, or without it, and says whose it is now. */
    private function enter(string $key, Request $request, PlainLock $lock, bool $isMine): State
    {
        $state = $this->load($key, (int) $isMine, false, $lock);
        if ($lock->tries() > 0) {
            $this->ask(['HINCRBY', $key, 'wait', '-1']);
        }
        $expire = self::extension($key);
        if (!$isMine) {
            $this->ask($expire);
            return $state;
        }
        $broke = $lock->isBroken() ? "{$lock->brokenOwner()} {$this->text(['HGET', $key, 'req'])}" : null;
        $this->askAll([['HMSET', $key, 'pid', $request->owner, 'lock', '1', 'req', $request->line], $expire]);
        return $broke === null
            ? $state
            : new State(1, $state->data, $state->writes, '', $state->ttlMs, trim($broke));
    }

    private function free(string $key): void
    {
        $this->selectIfNew();
        // Not HSET: that makes a hash that was just deleted anew, and is refused when memory is short.
        $this->ask(['HDEL', $key, 'lock']);
    }

    /** A connection that was made after one broke is in database 0. */
    private function selectIfNew(): void
    {
        if (!$this->wire->isConnected()) {
            $this->select();
        }
    }

    private function select(): void
    {
        $this->ask(['SELECT', (string) $this->settings->database]);
    }

    /** @param PlainLock|null $lock null: none was asked for, and reading prolongs the session at once */
    private function load(string $key, int $fence, bool $expires = true, ?PlainLock $lock = null): State
    {
        $fields = $this->ask(['HMGET', $key, 'data', 'writes']);
        if ($expires) {
            $this->ask(self::extension($key));
        }
        $data = is_array($fields) && is_string($fields[0] ?? null) ? $fields[0] : null;
        $writes = is_array($fields) ? (int) ($fields[1] ?? 0) : 0;
        $refusal = $fence === 0 && $lock !== null ? "LOCKED others took the lock {$lock->tries()} times" : null;
        return new State($fence, $data, $writes, '', self::OPEN_TTL_S * 1000, null, $refusal);
    }

    /** @return list<string> */
    private static function extension(string $key): array
    {
        return ['EXPIRE', $key, (string) self::OPEN_TTL_S];
    }

    /** @param list<string> $command */
    private function text(array $command): string
    {
        $reply = $this->ask($command);
        return is_string($reply) ? $reply : '';
    }

    /** @param list<string> $command */
    private function ask(array $command): mixed
    {
        return $this->askAll([$command])[0];
    }

    /**
     * @param list<list<string>> $commands
     * @return list<mixed>
     * @throws Refused of the first error
     */
    private function askAll(array $commands): array
    {
        $replies = $this->wire->batch($commands, self::ANSWER_S);
        foreach ($replies as $at => $reply) {
            if ($reply instanceof ErrorReply) {
                throw Refused::reply($commands[$at][0], $reply);
            }
        }
        return $replies;
    }
}
