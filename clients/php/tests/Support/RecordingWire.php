<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Support;

use Cloakroom\Session\Wire\ErrorReply;
use Cloakroom\Session\Wire\Wire;

/** Writes down what goes over a wire, in the form of the recorded traffic. */
final class RecordingWire implements Wire
{
    /** @param \ArrayObject<int, array{c: int, p: int, q: list<string>, r: mixed}> $tape shared by all connections */
    public function __construct(
        private readonly Wire $wire,
        private readonly \ArrayObject $tape,
        private readonly int $connection
    ) {
    }

    public function batch(array $commands, float $timeoutS, ?float $connectS = null): array
    {
        $replies = $this->wire->batch($commands, $timeoutS, $connectS);
        foreach ($commands as $at => $command) {
            $reply = $replies[$at] instanceof ErrorReply ? "-{$replies[$at]->message}" : $replies[$at];
            $this->tape[] = ['c' => $this->connection, 'p' => $at, 'q' => $command, 'r' => $reply];
        }
        return $replies;
    }

    public function isConnected(): bool
    {
        return $this->wire->isConnected();
    }

    public function isPersistent(): bool
    {
        return $this->wire->isPersistent();
    }

    public function disconnect(): void
    {
        $this->wire->disconnect();
    }
}
