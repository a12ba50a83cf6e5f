<?php

declare(strict_types=1);

namespace Cloakroom\Session;

use Cloakroom\Session\Error\Fenced;
use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\Error\TooMany;
use Cloakroom\Session\Error\Unreachable;

/**
 * Where sessions are, and how their lock is taken. Keys are those of the server, with the prefix.
 *
 * Every method may throw Unreachable and Refused, whether or not it says so.
 */
interface Store
{
    /**
     * Takes the lock, waiting for it, and reads. When the wait is over the state has no lock, and says why.
     *
     * @param State|null $known what this request has read before, so that it need not be sent again
     * @throws TooMany
     */
    public function open(string $key, Request $request, ?State $known = null): State;

    /** Reads without a lock. */
    public function read(string $key): State;

    /** Prolongs the life of a session that was only read, never shortens it. */
    public function extend(string $key, int $ttlS): void;

    /** Whether commit() needs the data even if nothing has changed. */
    public function alwaysWrites(): bool;

    /**
     * Writes and releases the lock, or does neither.
     *
     * @param State $held what open() returned
     * @param string|null $data null: as it was read
     * @throws Fenced when the lock was lost; nothing is written then
     * @throws Refused the lock is still held then: release it
     * @throws Unreachable nobody knows then whether it was written
     */
    public function commit(string $key, Request $request, State $held, ?string $data, int $ttlS): void;

    /** Releases the lock and writes nothing. Does nothing when the lock was lost. */
    public function release(string $key, Request $request, State $held): void;

    /** Removes the session, whoever holds its lock. */
    public function destroy(string $key): void;

    /** Who holds the lock or wrote last, and for which page: a text for a log line. Never throws. */
    public function holder(string $key): string;

    /** Ends the connection: the server frees what native locks it had. */
    public function disconnect(): void;
}
