<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Live;

use Cloakroom\Session\Error\Unreachable;
use Cloakroom\Session\Handler;
use Cloakroom\Session\Tests\Support\Log;
use Cloakroom\Session\Tests\Support\Peer;
use Cloakroom\Session\Tests\Support\Server;
use PHPUnit\Framework\TestCase;

/** How long a page waits for servers and Sentinels that take connections and say nothing. */
final class DeadlineTest extends TestCase
{
    private const OPENED = "*6\r\n:77\r\n\$6\r\nn|i:1;\r\n:7\r\n\$4\r\n7-70\r\n:3412345\r\n\$-1\r\n";
    private const PRIMARY = "*3\r\n\$6\r\nmaster\r\n:0\r\n*0\r\n";

    /** @var list<Peer|Server> */
    private array $peers = [];
    private Log $log;

    protected function setUp(): void
    {
        $this->log = new Log();
    }

    protected function tearDown(): void
    {
        foreach ($this->peers as $peer) {
            $peer->stop();
        }
    }

    /** @return iterable<string, array{string, bool}> transport, whether behind Sentinel */
    public static function ways(): iterable
    {
        foreach (['socket', 'phpredis'] as $transport) {
            yield $transport => [$transport, false];
            yield "$transport, Sentinel" => [$transport, true];
        }
    }

    /** @dataProvider ways */
    public function testRepeatedWriteToAMuteServerEndsInTime(string $transport, bool $hasSentinel): void
    {
        $role = $hasSentinel ? self::PRIMARY : '';
        $login = ['read' => (int) $hasSentinel, 'send' => $role];
        $open = ['read' => 1, 'send' => self::OPENED];
        $server = $this->play([[$login, $open, ['read' => 1, 'close' => true]], [['read' => 9]]]);
        $where = $hasSentinel ? $this->behind([$this->sentinel($server)]) : ['port' => (string) $server->address->port];
        $handler = $this->handler($where + ['timeout' => '0.3', 'transport' => $transport]);
        self::assertSame('n|i:1;', $handler->read('a'));
        $seconds = self::secondsUntilUnreachable(fn () => $handler->write('a', 'n|i:2;'));
        // Without a deadline for the try itself: ten and more.
        self::assertLessThan(6, $seconds, $hasSentinel ? '1.8 and a little' : '0.3 and a little');
    }

    /** @return iterable<string, array{string, string}> transport, persistent_identifier */
    public static function connections(): iterable
    {
        foreach (['socket', 'phpredis'] as $transport) {
            yield $transport => [$transport, ''];
            yield "$transport, kept" => [$transport, 'mute'];
        }
    }

    /** @dataProvider connections */
    public function testMuteSentinelsAreNotAskedForEver(string $transport, string $persistentId): void
    {
        $listeners = array_map(self::muteListener(...), [1, 2, 3]);
        $handler = $this->handler($this->behind(array_column($listeners, 1)) + [
            'timeout' => '0.3', 'transport' => $transport, 'persistent_identifier' => $persistentId,
        ]);
        $seconds = self::secondsUntilUnreachable(fn () => $handler->read('a'));
        self::assertLessThan(4.5, $seconds, '1.8 and a little; six rounds of three take 5.9');
        self::assertStringContainsString('No Sentinel names a primary', $this->log->text());
    }

    /** One round, and no more time than the first Sentinel alone could use up. */
    public function testMuteSentinelsLeaveTimeForOneThatAnswers(): void
    {
        $server = $this->play([[['read' => 2, 'send' => self::PRIMARY . self::OPENED]]]);
        $listeners = array_map(self::muteListener(...), [1, 2]);
        $handler = $this->handler($this->behind([...array_column($listeners, 1), $this->sentinel($server)]) + [
            'timeout' => '3', 'transport' => 'socket', 'sentinel_connect_retries' => '0',
        ]);
        self::assertSame('n|i:1;', $handler->read('a'));
    }

    /** phpredis asks a kept connection whether it lives, and would wait for that as for the last answer. */
    public function testKeptConnectionToAMuteServerIsGivenUpForANewOne(): void
    {
        $opened = [['read' => 3, 'send' => ":0\r\n+OK\r\n" . self::OPENED], ['read' => 1, 'send' => ":1\r\n"]];
        // phpredis itself makes a connection of which it says nothing.
        $server = $this->play([$opened, $opened, $opened]);
        $options = [
            'port' => (string) $server->address->port, 'timeout' => '1', 'transport' => 'phpredis',
            'persistent_identifier' => 'kept' . random_int(0, PHP_INT_MAX),
        ];
        $first = $this->handler($options);
        $first->read('a');
        $first->close();
        unset($first);
        // Only with the handler gone is the connection free for the next.
        gc_collect_cycles();
        $began = microtime(true);
        $second = $this->handler($options);
        self::assertSame('n|i:1;', $second->read('a'));
        $second->close();
        self::assertLessThan(8, microtime(true) - $began, 'half of timeout; phpredis alone waits for a minute');
    }

    public function testUnchangedSessionThatExpiredWithTheConnectionLostIsNoted(): void
    {
        $server = $this->peers[] = Server::cloakroom();
        $handler = $this->handler([
            'port' => (string) $server->port, 'database' => '2', 'transport' => 'socket',
            'min_lifetime' => '1', 'max_lifetime' => '1',
        ]);
        $handler->read('a');
        $handler->write('a', 'n|i:1;');
        $handler->close();
        self::assertSame('n|i:1;', $handler->read('a'));
        $server->ask(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']);
        for ($until = microtime(true) + 20; $server->ask(['EXISTS', 'sess_a']) !== 0; usleep(20_000)) {
            self::assertLessThan($until, microtime(true), 'it does not expire');
        }
        self::assertTrue($handler->write('a', 'n|i:1;'));
        $handler->close();
        self::assertStringStartsWith('notice: ', $this->log->text());
        self::assertStringContainsString('session a… is gone: ', $this->log->text());
        self::assertStringContainsString('FENCED deleted', $this->log->text());
    }

    /** @param array<string, string> $options */
    private function handler(array $options): Handler
    {
        if ($options['transport'] === 'phpredis' && !extension_loaded('redis')) {
            self::markTestSkipped('PHP has no extension redis');
        }
        return Handler::create($options + ['mode' => 'native', 'wait' => '10'], $this->log->writer());
    }

    /**
     * @param list<string> $sentinels
     * @return array<string, string>
     */
    private function behind(array $sentinels): array
    {
        return ['sentinel_servers' => implode(',', $sentinels), 'sentinel_master' => 'shop'];
    }

    /** A Sentinel that names this server as often as it is asked; where it listens. */
    private function sentinel(Peer $server): string
    {
        $port = (string) $server->address->port;
        $answer = "*2\r\n\$9\r\n127.0.0.1\r\n\$" . strlen($port) . "\r\n$port\r\n";
        return '127.0.0.1:' . $this->play(array_fill(0, 50, [['read' => 1, 'send' => $answer]]))->address->port;
    }

    /** @param list<list<array{read?: int, send?: string, close?: bool}>> $connections */
    private function play(array $connections): Peer
    {
        return $this->peers[] = new Peer($connections);
    }

    /** @return array{resource, string} the kernel takes its connections; where it listens */
    private static function muteListener(): array
    {
        $listener = stream_socket_server('tcp://127.0.0.1:0');
        self::assertIsResource($listener);
        return [$listener, (string) stream_socket_get_name($listener, false)];
    }

    /** @param \Closure(): mixed $act */
    private static function secondsUntilUnreachable(\Closure $act): float
    {
        $began = microtime(true);
        try {
            $act();
            self::fail('nobody answers');
        } catch (Unreachable) {
            return microtime(true) - $began;
        }
    }
}
