<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Live;

use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\Error\Unreachable;
use Cloakroom\Session\Tests\Support\Certificate;
use Cloakroom\Session\Tests\Support\Peer;
use Cloakroom\Session\Tests\Support\Server;
use Cloakroom\Session\Wire\Address;
use Cloakroom\Session\Wire\ErrorReply;
use Cloakroom\Session\Wire\Login;
use Cloakroom\Session\Wire\PhpRedisWire;
use Cloakroom\Session\Wire\SocketWire;
use Cloakroom\Session\Wire\Wire;
use PHPUnit\Framework\TestCase;

/** Both wires do the same with a real server. */
final class WireTest extends TestCase
{
    private static ?Server $server = null;

    public static function setUpBeforeClass(): void
    {
        self::$server = Server::redis(['requirepass secret', 'enable-debug-command yes']);
    }

    public static function tearDownAfterClass(): void
    {
        self::$server?->stop();
        self::$server = null;
    }

    /** @return iterable<string, array{class-string<PhpRedisWire|SocketWire>}> */
    public static function wires(): iterable
    {
        yield 'socket' => [SocketWire::class];
        yield 'phpredis' => [PhpRedisWire::class];
    }

    /**
     * @dataProvider wires
     * @param class-string<PhpRedisWire|SocketWire> $class
     */
    public function testEveryKindOfReply(string $class): void
    {
        $wire = $this->wire($class);
        self::assertSame(['OK', 2], $wire->batch([['SELECT', '3'], ['HSET', 'h', 'a', "\0", 'b', '']], 5));
        self::assertSame([["\0", null, '']], $wire->batch([['HMGET', 'h', 'a', 'x', 'b']], 5));
        self::assertSame([null], $wire->batch([['HGET', 'h', 'x']], 5));
        self::assertSame(["\0"], $wire->batch([['HGET', 'h', 'a']], 5));
        self::assertSame([[]], $wire->batch([['KEYS', 'no*']], 5));
        self::assertSame([[1, [2, null], 'x']], $wire->batch([['EVAL', "return {1, {2, false}, 'x'}", '0']], 5));
        self::assertSame([1], $wire->batch([['DEL', 'h']], 5));
    }

    /**
     * @dataProvider wires
     * @param class-string<PhpRedisWire|SocketWire> $class
     */
    public function testErrorsAreReplies(string $class): void
    {
        $wire = $this->wire($class);
        $reply = $wire->batch([['SESSION.OPEN', 'a']], 5)[0];
        self::assertInstanceOf(ErrorReply::class, $reply);
        self::assertTrue($reply->isUnknownCommand(), $reply->message);
        [$select, $open] = $wire->batch([['SELECT', '1'], ['SESSION.OPEN', 'a']], 5);
        self::assertSame('OK', $select);
        self::assertInstanceOf(ErrorReply::class, $open);
        self::assertSame([null], $wire->batch([['GET', 'a']], 5), 'an old error does not stick');
        self::assertTrue($wire->isConnected());
    }

    /**
     * phpredis throws when an error begins with another word than ERR.
     *
     * @dataProvider wires
     * @param class-string<PhpRedisWire|SocketWire> $class
     */
    public function testErrorsWithAWordOfTheirOwnAreRepliesToo(string $class): void
    {
        $wire = $this->wire($class);
        $wire->batch([['CONFIG', 'SET', 'min-replicas-to-write', '1']], 5);
        try {
            $alone = $wire->batch([['SET', 'a', '1']], 5);
            $replies = $wire->batch([['SELECT', '2'], ['SET', 'a', '1']], 5);
            foreach ([$alone[0], $replies[1]] as $reply) {
                self::assertInstanceOf(ErrorReply::class, $reply);
                self::assertSame('NOREPLICAS', $reply->code());
            }
            self::assertContains($replies[0], ['OK', null]);
            self::assertSame(['in sync'], $wire->batch([['ECHO', 'in sync']], 5));
        } finally {
            $wire->batch([['CONFIG', 'SET', 'min-replicas-to-write', '0']], 5);
        }
    }

    /**
     * @dataProvider wires
     * @param class-string<PhpRedisWire|SocketWire> $class
     */
    public function testWrongPasswordIsRefused(string $class): void
    {
        $this->expectException(Refused::class);
        $this->expectExceptionMessage('Compare username and password');
        $this->wire($class, 'wrong')->batch([['SELECT', '2']], 5);
    }

    /**
     * @dataProvider wires
     * @param class-string<PhpRedisWire|SocketWire> $class
     */
    public function testBrokenConnectionIsNeverReplacedInSilence(string $class): void
    {
        $wire = $this->wire($class);
        $id = $wire->batch([['CLIENT', 'ID']], 5)[0];
        $this->wire(SocketWire::class)->batch([['CLIENT', 'KILL', 'ID', (string) $id]], 5);
        try {
            $wire->batch([['SET', 'silent', '1']], 5);
            self::fail('the connection is gone, and what was said on it');
        } catch (Unreachable) {
            self::assertFalse($wire->isConnected());
        }
        self::assertSame([0], $wire->batch([['EXISTS', 'silent']], 5));
        self::assertNotSame([$id], $wire->batch([['CLIENT', 'ID']], 5));
    }

    /**
     * @dataProvider wires
     * @param class-string<PhpRedisWire|SocketWire> $class
     */
    public function testSilentServerIsGivenUp(string $class): void
    {
        $wire = $this->wire($class);
        $wire->batch([['PING']], 5);
        $start = microtime(true);
        try {
            $wire->batch([['BLPOP', 'nothing', '9']], 0.3);
            self::fail('nothing comes for 9 seconds');
        } catch (Unreachable $failure) {
            self::assertTrue($failure->sent);
            self::assertLessThan(5, microtime(true) - $start);
        }
        self::assertSame(['in sync'], $wire->batch([['ECHO', 'in sync']], 5));
    }

    /**
     * @dataProvider wires
     * @param class-string<PhpRedisWire|SocketWire> $class
     */
    public function testKeptConnectionIsFoundAgainByItsName(string $class): void
    {
        $wire = $this->wire($class, 'secret', 'kept');
        self::assertTrue($wire->isPersistent());
        $id = $wire->batch([['CLIENT', 'ID']], 5)[0];
        unset($wire);
        $again = $this->wire($class, 'secret', 'kept');
        self::assertSame($id, $again->batch([['CLIENT', 'ID']], 5)[0]);
        $again->disconnect();
        self::assertNotSame($id, $this->wire($class, 'secret', 'kept')->batch([['CLIENT', 'ID']], 5)[0]);
    }

    /**
     * @dataProvider wires
     * @param class-string<PhpRedisWire|SocketWire> $class
     */
    public function testNobodyListens(string $class): void
    {
        $this->require($class);
        $wire = new $class(static fn (): Address => new Address('127.0.0.1', 1), new Login('', '', false), 2.0);
        try {
            $wire->batch([['PING']], 5);
            self::fail('nobody listens on port 1');
        } catch (Unreachable $failure) {
            self::assertFalse($failure->sent);
            self::assertStringContainsString('tcp://127.0.0.1:1', $failure->getMessage());
        }
    }

    /**
     * @dataProvider wires
     * @param class-string<PhpRedisWire|SocketWire> $class
     */
    public function testUnixSocket(string $class): void
    {
        $this->require($class);
        $path = sys_get_temp_dir() . '/cloakroom-wire-' . getmypid() . '.sock';
        $server = Server::redis(["unixsocket $path"]);
        try {
            $wire = new $class(static fn (): Address => Address::fromHost($path, 0), new Login('', '', false), 5.0);
            self::assertSame(['hello', 'OK'], $wire->batch([['ECHO', 'hello'], ['SELECT', '2']], 5));
        } finally {
            $server->stop();
        }
    }

    /**
     * Cloakroom itself has no TLS: a proxy in front of it has.
     *
     * @dataProvider wires
     * @param class-string<PhpRedisWire|SocketWire> $class
     */
    public function testTlsChecksTheCertificate(string $class): void
    {
        $this->require($class);
        if (!extension_loaded('openssl')) {
            self::markTestSkipped('PHP has no extension openssl');
        }
        $large = random_bytes(300_000);
        $certificate = new Certificate('redis.shop');
        $answer = ['read' => 1, 'send' => '$300000' . "\r\n$large\r\n"];
        $first = [['read' => 2, 'send' => "+OK\r\n+OK\r\n"], $answer];
        $peer = new Peer([$first, [], []], 'tls://127.0.0.1:0', $certificate->path);
        try {
            $locate = static fn (): Address => $peer->address;
            $trusted = ['cafile' => $certificate->path, 'peer_name' => 'redis.shop'];
            $wire = new $class($locate, new Login('', '', false), 5.0, $trusted);
            self::assertSame(['OK', 'OK'], $wire->batch([['SELECT', '2'], ['SET', 'a', $large]], 5));
            self::assertSame([$large], $wire->batch([['GET', 'a']], 5));
            foreach ([['peer_name' => 'redis.shop'], ['peer_name' => 'other'] + $trusted] as $tls) {
                try {
                    (new $class($locate, new Login('', '', false), 5.0, $tls))->batch([['PING']], 5);
                    self::fail('nobody trusts this certificate');
                } catch (Unreachable $failure) {
                    self::assertFalse($failure->sent);
                    self::assertMatchesRegularExpression('/certificate (verify|CN)/', $failure->getMessage());
                }
            }
        } finally {
            $peer->stop();
            $certificate->remove();
        }
    }

    /**
     * What the login says is not the batch: who repeats only what was not sent may repeat this.
     *
     * @dataProvider logins
     */
    public function testBrokenLoginOfPhpRedisSentNothing(Login $login, string $first): void
    {
        $this->require(PhpRedisWire::class);
        $peer = new Peer([[['read' => 1, 'close' => true]]]);
        try {
            $wire = new PhpRedisWire(static fn (): Address => $peer->address, $login, 2.0);
            $wire->batch([['SESSION.COMMIT', 'a']], 5);
            self::fail('the peer has hung up');
        } catch (Unreachable $failure) {
            self::assertFalse($failure->sent);
            self::assertSame([[$first]], $peer->commands());
        } finally {
            $peer->stop();
        }
    }

    /** @return iterable<string, array{Login, string}> */
    public static function logins(): iterable
    {
        yield 'AUTH' => [new Login('', 'secret', true), 'AUTH secret'];
        yield 'ROLE' => [new Login('', '', true), 'ROLE'];
    }

    public function testBrokenBatchOfPhpRedisWasSent(): void
    {
        $this->require(PhpRedisWire::class);
        $peer = new Peer([[['read' => 1, 'send' => "+OK\r\n"], ['read' => 1, 'close' => true]]]);
        try {
            $wire = new PhpRedisWire(static fn (): Address => $peer->address, new Login('', 'secret', false), 2.0);
            $wire->batch([['SESSION.COMMIT', 'a']], 5);
            self::fail('the peer has hung up');
        } catch (Unreachable $failure) {
            self::assertTrue($failure->sent);
        } finally {
            $peer->stop();
        }
    }

    /** @param class-string<PhpRedisWire|SocketWire> $class */
    private function wire(string $class, string $password = 'secret', string $persistentId = ''): Wire
    {
        $this->require($class);
        $port = (int) self::$server?->port;
        $locate = static fn (): Address => new Address('127.0.0.1', $port);
        return new $class($locate, new Login('', $password, false), 5.0, [], $persistentId);
    }

    /** @param class-string<PhpRedisWire|SocketWire> $class */
    private function require(string $class): void
    {
        if ($class === PhpRedisWire::class && !extension_loaded('redis')) {
            self::markTestSkipped('PHP has no extension redis');
        }
    }
}
