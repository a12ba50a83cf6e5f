<?php

declare(strict_types=1);

namespace Cloakroom\Session\Wire;

use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\Error\Unreachable;

/** What both wires share: when to connect, whom to ask where the server is, and what is said first. */
abstract class Connection implements Wire
{
    private const PAUSE_US = 100_000;

    private bool $connected = false;

    /** True for good when exit or a fatal error has ended a batch: its replies are still under way. */
    private bool $isBusy = false;

    /** A connection belongs to the process that opened it: a forked child would take the parent's replies. */
    private int $processId = 0;

    /**
     * @param \Closure(float): Address $locate is asked before each connecting; it may take so many seconds
     * @param float $connectTimeoutS for one connection; looking for the server may take $rounds times as long
     * @param int $rounds how often to locate and connect before giving up; more than 1 makes sense behind Sentinel
     */
    public function __construct(
        private readonly \Closure $locate,
        private readonly Login $login,
        protected readonly float $connectTimeoutS,
        private readonly int $rounds = 1
    ) {
    }

    final public function batch(array $commands, float $timeoutS, ?float $connectS = null): array
    {
        $isOpen = $this->isConnected();
        if (!$isOpen) {
            $this->disconnect();
        }
        $this->isBusy = true;
        try {
            $replies = match (true) {
                $isOpen => $this->exchange($commands, $timeoutS),
                $connectS === null => $this->search($commands, $timeoutS),
                default => $this->searchOnce($commands, $timeoutS, $connectS),
            };
            $this->isBusy = false;
        } catch (\Throwable $failure) {
            // The replies that are still under way would answer the next batch.
            $this->disconnect();
            throw $failure;
        }
        return $this->unlessLoading($replies);
    }

    final public function isConnected(): bool
    {
        return $this->connected && !$this->isBusy && $this->isOurs();
    }

    final public function disconnect(): void
    {
        if ($this->connected && $this->isOurs()) {
            $this->close();
        }
        $this->connected = false;
        $this->isBusy = false;
    }

    /** @throws Unreachable */
    abstract protected function connect(Address $address, float $timeoutS): void;

    /**
     * @param list<list<string>> $commands
     * @return list<mixed>
     * @throws Unreachable
     */
    abstract protected function exchange(array $commands, float $timeoutS): array;

    abstract protected function close(): void;

    /** Whether the login needs writes of its own. */
    protected function greetsApart(): bool
    {
        return false;
    }

    /**
     * Looks for the server and connects until that succeeds, or the rounds or their time are over.
     *
     * @param list<list<string>> $commands
     * @param float $answerS for the replies, of all rounds together
     * @return list<mixed>
     */
    private function search(array $commands, float $answerS): array
    {
        $until = microtime(true) + $this->rounds * $this->connectTimeoutS;
        for ($round = 1;; ++$round) {
            $connectedAt = null;
            try {
                $address = $this->reach($until, $this->connectTimeoutS);
                $connectedAt = microtime(true);
                return $this->logIn($commands, $connectedAt + $answerS, $address);
            } catch (Unreachable $failure) {
                $this->disconnect();
                $answerS -= $connectedAt === null ? 0.0 : microtime(true) - $connectedAt;
                $isOver = $answerS <= 0 || microtime(true) + self::PAUSE_US / 1e6 >= $until;
                if ($failure->sent || $isOver || $round >= $this->rounds) {
                    throw $failure;
                }
                usleep(self::PAUSE_US);
            }
        }
    }

    /**
     * One round of it, of which all parts share the time.
     *
     * @param list<list<string>> $commands
     * @return list<mixed>
     */
    private function searchOnce(array $commands, float $timeoutS, float $connectS): array
    {
        $began = microtime(true);
        $address = $this->reach($began + $connectS);
        return $this->logIn($commands, $began + $timeoutS, $address);
    }

    /** @param float $graceS by how much connecting may outlast what asking for the address may not */
    private function reach(float $until, float $graceS = 0.0): Address
    {
        $address = ($this->locate)(self::left($until));
        $this->connect($address, min($this->connectTimeoutS, self::left($until + $graceS)));
        $this->connected = true;
        $this->processId = (int) getmypid();
        return $address;
    }

    /**
     * @param list<list<string>> $commands
     * @return list<mixed>
     */
    private function logIn(array $commands, float $until, Address $address): array
    {
        $first = $this->login->commands();
        if (!$this->greetsApart()) {
            $replies = $this->exchange([...$first, ...$commands], self::left($until));
            $this->login->check(array_slice($replies, 0, count($first)), $address);
            return array_slice($replies, count($first));
        }
        $this->login->check($this->greetings($first, $until), $address);
        return $this->exchange($commands, self::left($until));
    }

    /**
     * @param list<list<string>> $first
     * @return list<mixed>
     * @throws Unreachable of which nothing counts as sent: the batch itself was not
     */
    private function greetings(array $first, float $until): array
    {
        $replies = [];
        try {
            foreach ($first as $command) {
                array_push($replies, ...$this->exchange([$command], self::left($until)));
            }
        } catch (Unreachable $failure) {
            throw new Unreachable($failure->getMessage(), false, $failure);
        }
        return $replies;
    }

    /** @throws Unreachable when there is no time left, which must not reach phpredis: 0 means for ever there */
    private static function left(float $until): float
    {
        $seconds = $until - microtime(true);
        return $seconds > 0 ? $seconds : throw new Unreachable('No time is left to ask the session server.');
    }

    private function isOurs(): bool
    {
        return $this->processId === getmypid();
    }

    /**
     * @param list<mixed> $replies
     * @return list<mixed>
     */
    private function unlessLoading(array $replies): array
    {
        $last = end($replies);
        if ($last instanceof ErrorReply && $last->code() === 'LOADING') {
            $this->disconnect();
            throw new Unreachable('The session server still loads its data.');
        }
        return $replies;
    }

    /**
     * Does something of which PHP tells the reason of its failure in warnings.
     *
     * @param \Closure(): mixed $act
     * @param list<string> $warnings is filled
     */
    final protected static function collectWarnings(\Closure $act, array &$warnings): mixed
    {
        set_error_handler(static function (int $level, string $text) use (&$warnings): bool {
            $warnings[] = $text;
            return true;
        });
        try {
            return $act();
        } finally {
            restore_error_handler();
        }
    }

    /** @throws Refused before anything was sent */
    final protected static function checkSize(string $argument): void
    {
        if (strlen($argument) > ReplyReader::MAX_BULK_BYTES) {
            throw new Refused('A session of ' . strlen($argument) . ' bytes is not written: the most is '
                . ReplyReader::MAX_BULK_BYTES . '. Find out what fills it.');
        }
    }
}
