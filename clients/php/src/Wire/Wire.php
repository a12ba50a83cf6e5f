<?php

declare(strict_types=1);

namespace Cloakroom\Session\Wire;

use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\Error\Unreachable;

/** One connection to the session server. It connects by itself with the first batch, and again after it broke. */
interface Wire
{
    /**
     * Sends all commands in one write and returns their replies in the same order: string, int, null, a list of these,
     * or an ErrorReply. Beside an ErrorReply in last place, null may also mean that the reply is unknown.
     *
     * @param list<list<string>> $commands
     * @param float $timeoutS for all replies together
     * @param float|null $connectS for a batch that is sent again: the server is looked for only once, and connected to
     *     within so many seconds, which $timeoutS includes. Null: as often as is set, and $timeoutS begins after that
     * @return list<mixed>
     * @throws Unreachable when no connection can be made, it breaks or the time is over; the connection is closed then
     * @throws Refused when the server does not accept the password
     */
    public function batch(array $commands, float $timeoutS, ?float $connectS = null): array;

    /** Whether the next batch goes over a connection that this process used before. */
    public function isConnected(): bool;

    /** Whether the connection outlives the PHP request, and so may hold what the request before left. */
    public function isPersistent(): bool;

    /** Ends the connection, a persistent one too. The server then frees all that it held. */
    public function disconnect(): void;
}
