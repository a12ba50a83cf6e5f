<?php

declare(strict_types=1);

namespace Cloakroom\Session;

use Cloakroom\Session\Error\Refused;

/**
 * The native store while the server has the commands, else the plain one; asks again after a minute.
 *
 * With APCu all requests of a machine share what was found out. Without it each PHP request asks once, which costs one
 * refused command in its first write.
 */
final class StoreChooser implements Store
{
    private const ASK_AGAIN_S = 60;

    /** The one that opened what is open now: it also has to write it. */
    private Store $current;

    private float $plainUntil = 0.0;

    /**
     * @param string $name of the server; what is remembered holds for it
     * @param \Closure(): float $now seconds
     */
    public function __construct(
        private readonly Store $native,
        private readonly Store $plain,
        private readonly string $name,
        private readonly \Closure $now
    ) {
        $this->current = $native;
    }

    public function open(string $key, Request $request, ?State $known = null): State
    {
        return $this->choose(static fn (Store $store): State => $store->open($key, $request, $known));
    }

    public function read(string $key): State
    {
        return $this->choose(static fn (Store $store): State => $store->read($key));
    }

    public function extend(string $key, int $ttlS): void
    {
        $this->current->extend($key, $ttlS);
    }

    public function alwaysWrites(): bool
    {
        return $this->current->alwaysWrites();
    }

    public function commit(string $key, Request $request, State $held, ?string $data, int $ttlS): void
    {
        $this->current->commit($key, $request, $held, $data, $ttlS);
    }

    public function release(string $key, Request $request, State $held): void
    {
        $this->current->release($key, $request, $held);
    }

    public function destroy(string $key): void
    {
        $this->choose(static function (Store $store) use ($key): State {
            $store->destroy($key);
            return new State(0, null);
        });
    }

    public function holder(string $key): string
    {
        return $this->current->holder($key);
    }

    public function disconnect(): void
    {
        $this->current->disconnect();
    }

    /** @param \Closure(Store): State $act */
    private function choose(\Closure $act): State
    {
        if ($this->isPlain()) {
            $this->current = $this->plain;
            return $act($this->plain);
        }
        try {
            $state = $act($this->native);
            $this->current = $this->native;
            return $state;
        } catch (Refused $failure) {
            if (!$failure->isWithoutSessions()) {
                throw $failure;
            }
            $this->rememberPlain();
            $this->current = $this->plain;
            return $act($this->plain);
        }
    }

    private function isPlain(): bool
    {
        return ($this->now)() < $this->plainUntil
            || (self::hasSharedMemory() && apcu_exists($this->sharedName()));
    }

    private function rememberPlain(): void
    {
        $this->plainUntil = ($this->now)() + self::ASK_AGAIN_S;
        if (self::hasSharedMemory()) {
            apcu_store($this->sharedName(), true, self::ASK_AGAIN_S);
        }
    }

    private static function hasSharedMemory(): bool
    {
        return function_exists('apcu_enabled') && apcu_enabled();
    }

    private function sharedName(): string
    {
        return "cloakroom-session-plain:{$this->name}";
    }
}
