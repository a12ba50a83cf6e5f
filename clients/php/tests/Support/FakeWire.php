<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Support;

use Cloakroom\Session\Wire\Wire;
use PHPUnit\Framework\Assert;

/** A server played by a list: each batch gets the next entry, which is its replies or what is thrown. */
final class FakeWire implements Wire
{
    /** @var list<string> every batch that was sent, as one line: commands separated by " · " */
    public array $sent = [];

    /** @var list<float> the time-out of each */
    public array $timeouts = [];

    /** @var list<float|null> how long each may take to connect */
    public array $connects = [];

    /** @var (\Closure(float, float|null): void)|null lets time pass while a batch is under way */
    public ?\Closure $passes = null;
    public int $disconnects = 0;
    private bool $connected = false;

    /** @param list<list<mixed>|\Throwable> $script */
    public function __construct(private array $script, private readonly bool $persistent = false)
    {
    }

    public function batch(array $commands, float $timeoutS, ?float $connectS = null): array
    {
        $line = implode(' · ', array_map(static fn (array $command): string => implode(' ', $command), $commands));
        $this->sent[] = $line;
        $this->timeouts[] = $timeoutS;
        $this->connects[] = $connectS;
        Assert::assertNotSame([], $this->script, "nobody expected: $line");
        $next = array_shift($this->script);
        if ($this->passes !== null) {
            ($this->passes)($timeoutS, $connectS);
        }
        if ($next instanceof \Throwable) {
            $this->connected = false;
            throw $next;
        }
        Assert::assertCount(count($commands), $next, "the script has other replies than for: $line");
        $this->connected = true;
        return $next;
    }

    public function isConnected(): bool
    {
        return $this->connected;
    }

    public function isPersistent(): bool
    {
        return $this->persistent;
    }

    public function disconnect(): void
    {
        $this->disconnects += (int) $this->connected;
        $this->connected = false;
    }

    /** Fails unless every entry of the script was used. */
    public function assertDone(): void
    {
        Assert::assertSame([], $this->script, 'these replies were not asked for');
    }
}
