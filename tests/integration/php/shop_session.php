<?php
// A shop's session in a hash: a lock that is counted up and polled for, data, and its writer.
declare(strict_types=1);

final class ShopSession
{
    private string $key;
    private string $owner;
    private bool $locked = false;

    public function __construct(
        private Redis $redis,
        string $id,
        private int $poll_us = 500_000,
        private float $break_after_s = 5.0,
        private int $ttl_s = 21600
    ) {
        $this->key = "sess_$id";
        $this->owner = gethostname() . '|' . getmypid();
    }

    /** Waits for the lock, or takes it over after break_after, and returns the data. */
    public function read(): string
    {
        $this->redis->select(2);
        $this->acquire();
        $fields = $this->redis->hMGet($this->key, ['data', 'writes']);
        $this->redis->multi(Redis::PIPELINE)
            ->hMSet($this->key, ['pid' => $this->owner, 'lock' => 1, 'req' => 'GET shop.example/cart/'])
            ->expire($this->key, $this->ttl_s)
            ->exec();
        $this->locked = true;
        return $fields['data'] === false ? '' : $fields['data'];
    }

    /** Writes and releases the lock. False if another visitor has broken it: then nothing is written. */
    public function write(string $data): bool
    {
        $this->redis->select(2);
        if (!$this->locked || $this->redis->hGet($this->key, 'pid') !== $this->owner) {
            return false;
        }
        $replies = $this->redis->multi(Redis::PIPELINE)
            ->select(2)
            ->hMSet($this->key, ['data' => $data, 'lock' => 0])
            ->hIncrBy($this->key, 'writes', 1)
            ->expire($this->key, $this->ttl_s)
            ->exec();
        check($replies[0] === true && $replies[1] === true && $replies[2] > 0 && $replies[3] === true,
            'replies of the write: ' . json_encode($replies));
        $this->locked = false;
        return true;
    }

    public function destroy(): void
    {
        $replies = $this->redis->multi(Redis::PIPELINE)->select(2)->unlink($this->key)->exec();
        check($replies === [true, 1], 'replies of destroy: ' . json_encode($replies));
    }

    private function acquire(): void
    {
        if ($this->redis->hIncrBy($this->key, 'lock', 1) === 1) {
            return;
        }
        $this->redis->hIncrBy($this->key, 'wait', 1);
        $give_up = microtime(true) + $this->break_after_s;
        do {
            usleep($this->poll_us);
            if ($this->redis->hIncrBy($this->key, 'lock', 1) === 1) {
                break;
            }
            $this->redis->hGet($this->key, 'pid');
        } while (microtime(true) < $give_up);
        $this->redis->hIncrBy($this->key, 'wait', -1);
    }
}
