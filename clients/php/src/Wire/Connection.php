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
     * @param \Closure(): Address $locate is asked before each connecting
     * @param int $rounds how often to locate and connect before giving up; more than 1 makes sense behind Sentinel
     */
    public function __construct(
        private readonly \Closure $locate,
        private readonly Login $login,
        private readonly int $rounds = 1
    ) {
    }

    final public function batch(array $commands, float $timeoutS): array
    {
        $isOpen = $this->isConnected();
        if (!$isOpen) {
            $this->disconnect();
        }
        $this->isBusy = true;
        try {
            $replies = $isOpen ? $this->exchange($commands, $timeoutS) : $this->greet($commands, $timeoutS);
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
    abstract protected function connect(Address $address): void;

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
     * @param list<list<string>> $commands
     * @return list<mixed>
     */
    private function greet(array $commands, float $timeoutS): array
    {
        for ($round = 1;; ++$round) {
            try {
                $address = ($this->locate)();
                $this->connect($address);
                $this->connected = true;
                $this->processId = (int) getmypid();
                return $this->logIn($commands, $timeoutS, $address);
            } catch (Unreachable $failure) {
                $this->disconnect();
                if ($failure->sent || $round >= $this->rounds) {
                    throw $failure;
                }
                usleep(self::PAUSE_US);
            }
        }
    }

    /**
     * @param list<list<string>> $commands
     * @return list<mixed>
     */
    private function logIn(array $commands, float $timeoutS, Address $address): array
    {
        $first = $this->login->commands();
        if (!$this->greetsApart()) {
            $replies = $this->exchange([...$first, ...$commands], $timeoutS);
            $this->login->check(array_slice($replies, 0, count($first)), $address);
            return array_slice($replies, count($first));
        }
        $this->login->check($this->greetings($first, $timeoutS), $address);
        return $this->exchange($commands, $timeoutS);
    }

    /**
     * @param list<list<string>> $first
     * @return list<mixed>
     * @throws Unreachable of which nothing counts as sent: the batch itself was not
     */
    private function greetings(array $first, float $timeoutS): array
    {
        $replies = [];
        try {
            foreach ($first as $command) {
                array_push($replies, ...$this->exchange([$command], $timeoutS));
            }
        } catch (Unreachable $failure) {
            throw new Unreachable($failure->getMessage(), false, $failure);
        }
        return $replies;
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
