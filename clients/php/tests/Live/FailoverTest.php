<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Live;

use Cloakroom\Session\Handler;
use Cloakroom\Session\Tests\Support\Log;
use Cloakroom\Session\Tests\Support\Process;
use Cloakroom\Session\Tests\Support\Server;
use PHPUnit\Framework\TestCase;

/** Two Cloakrooms behind a Sentinel: the primary ends while a page has its session open. */
final class FailoverTest extends TestCase
{
    private const ID = 'a156d906d0753f2d0f40b013a44';
    private const KEY = 'sess_' . self::ID;

    /** @var list<Server> */
    private array $servers = [];
    private Server $primary;
    private Server $replica;
    private Server $sentinel;
    private Log $log;

    protected function setUp(): void
    {
        $this->log = new Log();
        $secret = ['requirepass secret', 'masterauth secret', 'repl-diskless-sync-delay 0'];
        $this->primary = $this->servers[] = Server::cloakroom($secret);
        $follow = "replicaof 127.0.0.1 {$this->primary->port}";
        $this->replica = $this->servers[] = Server::cloakroom([...$secret, $follow]);
        $this->sentinel = $this->servers[] = Server::sentinel([
            "sentinel monitor shop 127.0.0.1 {$this->primary->port} 1", 'sentinel auth-pass shop secret',
            'sentinel down-after-milliseconds shop 300', 'sentinel failover-timeout shop 2000',
        ]);
        $this->eventually(fn (): bool => str_contains(
            (string) $this->ask($this->replica, 'INFO', 'replication'),
            'master_link_status:up'
        ));
        $this->eventually(fn (): bool => str_contains(
            (string) $this->sentinel->ask(['INFO', 'sentinel']),
            'slaves=1'
        ));
    }

    protected function tearDown(): void
    {
        foreach ($this->servers as $server) {
            $server->stop();
        }
    }

    /** @return iterable<string, array{string, string}> transport, how the primary ends */
    public static function ends(): iterable
    {
        return self::combine('SHUTDOWN', 'SIGTERM', 'SIGKILL', 'demotion');
    }

    /** @return iterable<string, array{string, string}> */
    public static function someEnds(): iterable
    {
        return self::combine('SHUTDOWN', 'SIGKILL');
    }

    /** @return iterable<string, array{string, string}> */
    private static function combine(string ...$ends): iterable
    {
        foreach (['socket', 'phpredis'] as $transport) {
            foreach ($ends as $end) {
                yield "$transport, $end" => [$transport, $end];
            }
        }
    }

    /** @dataProvider ends */
    public function testOpenPageIsWrittenToTheNewPrimary(string $transport, string $end): void
    {
        $handler = $this->openedHandler($transport);
        $this->end($end);
        self::assertTrue($handler->write(self::ID, 'n|i:2;'));
        $handler->close();
        self::assertSame('', $this->log->text());
        $this->eventually(fn (): bool => $this->ask($this->replica, 'HGET', self::KEY, 'data') === 'n|i:2;');
        self::assertSame('2', $this->ask($this->replica, 'HGET', self::KEY, 'writes'));
        self::assertSame('n|i:2;', $handler->read(self::ID), 'and the next page finds it there');
        $handler->close();
    }

    /** @dataProvider someEnds */
    public function testLogoutReachesTheNewPrimary(string $transport, string $end): void
    {
        $handler = $this->openedHandler($transport);
        $this->end($end);
        self::assertTrue($handler->destroy(self::ID));
        $handler->close();
        self::assertSame('', $this->log->text());
        $this->eventually(fn (): bool => $this->ask($this->replica, 'EXISTS', self::KEY) === 0);
    }

    /** @dataProvider someEnds */
    public function testPageThatWaitsQueuesAnewAtTheNewPrimary(string $transport, string $end): void
    {
        $handler = $this->openedHandler($transport);
        $waiter = Process::php('hold.php', [self::ID, '0'], [
            'CLOAKROOM_OPTIONS' => (string) json_encode($this->options($transport)),
        ]);
        try {
            $this->eventually(fn (): bool => str_contains(
                (string) $this->ask($this->primary, 'INFO', 'sessions'),
                'session_waiters:1'
            ));
            $this->end($end);
            $written = $handler->write(self::ID, 'n|i:2;');
            $handler->close();
            self::assertTrue($written);
            self::assertSame('locked', $waiter->line());
            $waiter->finish();
        } finally {
            $waiter->stop();
        }
        // Whoever comes first gets the lock: the waiter holds it before the write comes again, or after that.
        $isFenced = str_contains($this->log->text(), 'FENCED');
        $data = $isFenced ? 'n|i:1;' : 'n|i:2;';
        $this->eventually(fn (): bool => $this->ask($this->replica, 'HGET', self::KEY, 'data') === $data);
    }

    private function openedHandler(string $transport): Handler
    {
        if ($transport === 'phpredis' && !extension_loaded('redis')) {
            self::markTestSkipped('PHP has no extension redis');
        }
        $handler = Handler::create($this->options($transport), $this->log->writer());
        self::assertSame('', $handler->read(self::ID));
        $handler->write(self::ID, 'n|i:1;');
        $handler->close();
        $this->eventually(fn (): bool => $this->ask($this->replica, 'HGET', self::KEY, 'data') === 'n|i:1;');
        self::assertSame('n|i:1;', $handler->read(self::ID));
        return $handler;
    }

    /** @return array<string, string> */
    private function options(string $transport): array
    {
        return [
            'sentinel_servers' => "127.0.0.1:{$this->sentinel->port}", 'sentinel_master' => 'shop',
            'password' => 'secret', 'database' => '2', 'mode' => 'native', 'transport' => $transport,
        ];
    }

    /** Does not wait: what follows meets a server that is about to end. */
    private function end(string $how): void
    {
        if ($how === 'SHUTDOWN') {
            $stream = stream_socket_client("tcp://127.0.0.1:{$this->primary->port}");
            self::assertIsResource($stream);
            fwrite($stream, "AUTH secret\r\nSHUTDOWN\r\n");
            self::assertSame("+OK\r\n", fgets($stream));
        } elseif ($how === 'demotion') {
            $this->eventually(fn (): bool => $this->sentinel->ask(['SENTINEL', 'FAILOVER', 'shop']) === 'OK');
            $this->eventually(fn (): bool => str_contains(
                (string) $this->ask($this->replica, 'INFO', 'replication'),
                'role:master'
            ));
            // Sentinel does it only after ten seconds, and what is acknowledged until then is lost, as with Redis.
            $this->ask($this->primary, 'REPLICAOF', '127.0.0.1', (string) $this->replica->port);
        } else {
            $this->primary->signal($how === 'SIGTERM' ? SIGTERM : SIGKILL);
        }
    }

    private function ask(Server $server, string ...$command): mixed
    {
        $wire = $server->wire('secret');
        $replies = $wire->batch([['SELECT', '2'], array_values($command)], 5);
        $wire->disconnect();
        return $replies[1];
    }

    /** @param \Closure(): bool $isSo */
    private function eventually(\Closure $isSo): void
    {
        for ($until = microtime(true) + 20; microtime(true) < $until; usleep(20_000)) {
            if ($isSo()) {
                return;
            }
        }
        self::fail('it did not come to be');
    }
}
