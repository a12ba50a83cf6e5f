<?php

declare(strict_types=1);

namespace Cloakroom\Session\Wire;

use Cloakroom\Session\Error\Unreachable;

/**
 * A connection over the extension phpredis, which can keep it for the next request.
 *
 * phpredis says less than a server does. True stands for every status, so OK is returned for it; false stands for null
 * and for an error; and an error that does not begin with ERR takes the replies of the whole batch along. Therefore a
 * batch of several must not have a command whose reply may be null, and of a batch that was taken along the last reply
 * is the error, and the others are null: unknown.
 */
final class PhpRedisWire extends Connection
{
    private ?\Redis $redis = null;
    private string $where = '';

    /**
     * @param \Closure(float): Address $locate
     * @param array<string, mixed> $tls PHP's ssl context options
     */
    public function __construct(
        \Closure $locate,
        Login $login,
        float $connectTimeoutS,
        private readonly array $tls = [],
        private readonly string $persistentId = '',
        int $rounds = 1
    ) {
        parent::__construct($locate, $login, $connectTimeoutS, $rounds);
    }

    public function isPersistent(): bool
    {
        return $this->persistentId !== '';
    }

    protected function connect(Address $address, float $timeoutS): void
    {
        $this->where = $address->url();
        $host = ($address->tls && !$address->isUnix() ? 'tls://' : '') . $address->host;
        $port = $address->isUnix() ? 0 : $address->port;
        $context = $this->tls === [] ? [] : ['stream' => $this->tls];
        $redis = new \Redis();
        $warnings = [];
        try {
            $connected = self::collectWarnings(fn (): bool => $this->isPersistent()
                ? $redis->pconnect($host, $port, $timeoutS, $this->persistentId, 0, $this->checkS(), $context)
                : $redis->connect($host, $port, $timeoutS, null, 0, 0.0, $context), $warnings);
        } catch (\RedisException $failure) {
            // When a kept connection turns out to be dead, phpredis has made another one, and would keep that.
            self::end($redis);
            throw new Unreachable("No connection to {$this->where}: {$failure->getMessage()}", false, $failure);
        }
        if (!$connected) {
            // What TLS has against the server is said in warnings only.
            throw new Unreachable("No connection to {$this->where}: " . implode('; ', $warnings));
        }
        // Silent reconnecting would lose the lock and the database without a word.
        $redis->setOption(\Redis::OPT_MAX_RETRIES, 0);
        $this->redis = $redis;
    }

    protected function exchange(array $commands, float $timeoutS): array
    {
        assert($this->redis !== null);
        $this->redis->setOption(\Redis::OPT_READ_TIMEOUT, $timeoutS);
        try {
            return $this->replies($this->redis, $commands);
        } finally {
            $this->redis->setOption(\Redis::OPT_READ_TIMEOUT, $this->checkS());
        }
    }

    /** An error would take the other replies along. */
    protected function greetsApart(): bool
    {
        return true;
    }

    protected function close(): void
    {
        if ($this->redis !== null) {
            self::end($this->redis);
        }
        $this->redis = null;
    }

    /**
     * How long pconnect waits when it asks a kept connection whether it lives: as long as the last reading might have
     * taken. Half of the time is left to connect anew then.
     */
    private function checkS(): float
    {
        return $this->connectTimeoutS / 2;
    }

    private static function end(\Redis $redis): void
    {
        try {
            $redis->close();
        } catch (\RedisException) {
            // It was broken already.
        }
    }

    /**
     * @param list<list<string>> $commands
     * @return list<mixed>
     * @throws Unreachable
     */
    private function replies(\Redis $redis, array $commands): array
    {
        try {
            $redis->clearLastError();
            $replies = count($commands) === 1 ? [$this->one($commands[0])] : $this->pipeline($commands);
        } catch (\RedisException $failure) {
            if ($failure->getMessage() !== $redis->getLastError()) {
                throw new Unreachable("{$this->where}: {$failure->getMessage()}", true, $failure);
            }
            return [...array_fill(0, count($commands) - 1, null), new ErrorReply($failure->getMessage())];
        }
        $error = $redis->getLastError();
        $failed = $error === null ? null : new ErrorReply($error);
        return array_map(
            static fn (mixed $reply): mixed => $reply === false ? $failed : self::plain($reply),
            $replies
        );
    }

    /** @param list<string> $command */
    private function one(array $command): mixed
    {
        array_map(self::checkSize(...), $command);
        return $this->redis?->rawCommand(...$command);
    }

    /**
     * @param list<list<string>> $commands
     * @return list<mixed>
     */
    private function pipeline(array $commands): array
    {
        $this->redis?->multi(\Redis::PIPELINE);
        foreach ($commands as $command) {
            $this->one($command);
        }
        $replies = $this->redis?->exec();
        if (!is_array($replies) || count($replies) !== count($commands)) {
            throw new Unreachable("{$this->where}: the pipeline was not answered.", true);
        }
        return array_values($replies);
    }

    private static function plain(mixed $reply): mixed
    {
        return match (true) {
            $reply === false => null,
            $reply === true => 'OK',
            is_array($reply) => array_map(self::plain(...), array_values($reply)),
            default => $reply,
        };
    }
}
