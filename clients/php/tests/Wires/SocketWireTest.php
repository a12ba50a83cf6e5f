<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Wires;

use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\Error\Unreachable;
use Cloakroom\Session\Tests\Support\Certificate;
use Cloakroom\Session\Tests\Support\Peer;
use Cloakroom\Session\Wire\Address;
use Cloakroom\Session\Wire\ErrorReply;
use Cloakroom\Session\Wire\Login;
use Cloakroom\Session\Wire\ReplyReader;
use Cloakroom\Session\Wire\SocketWire;
use PHPUnit\Framework\TestCase;

final class SocketWireTest extends TestCase
{
    private ?Peer $peer = null;
    private ?Certificate $certificate = null;

    protected function tearDown(): void
    {
        $this->peer?->stop();
        $this->certificate?->remove();
    }

    public function testABatchIsOneWriteAndEveryKindOfReplyIsRead(): void
    {
        $array = "*7\r\n:-5\r\n\$3\r\na\r\n\r\n\$-1\r\n*0\r\n*-1\r\n-ERR no\r\n+\r\n";
        $this->play([[['read' => 2, 'send' => "+OK\r\n$array"]]]);
        $replies = $this->wire()->batch([['SELECT', '2'], ['HGET', "k\r\n\0", '']], 5);
        self::assertSame('OK', $replies[0]);
        self::assertSame([-5, "a\r\n", null, [], null], array_slice($replies[1], 0, 5));
        self::assertInstanceOf(ErrorReply::class, $replies[1][5]);
        self::assertSame('ERR no', $replies[1][5]->message);
        self::assertSame([['SELECT 2', "HGET k\r\n\0 "]], $this->peer?->commands());
    }

    public function testRepliesMayComeByteByByte(): void
    {
        $bytes = "*2\r\n\$10\r\n0123456789\r\n:12\r\n";
        $steps = array_map(static fn (string $byte): array => ['send' => $byte], str_split($bytes));
        $this->play([[['read' => 1], ...$steps]]);
        self::assertSame([['0123456789', 12]], $this->wire()->batch([['X']], 5));
    }

    public function testLargeValuesTravelBothWays(): void
    {
        $large = random_bytes(3_000_000);
        $this->play([[['read' => 1, 'send' => '$3000000' . "\r\n$large\r\n:1\r\n"]]]);
        $replies = $this->wire()->batch([['SET', 'k', str_repeat('x', 3_000_000)], ['Y']], 20);
        self::assertSame([$large, 1], $replies);
    }

    public function testPasswordGoesFirstInTheSameWrite(): void
    {
        $this->play([[['read' => 2, 'send' => "+OK\r\n:1\r\n"], ['read' => 1, 'send' => ":2\r\n"]]]);
        $wire = $this->wire(new Login('shop', 'secret', false));
        self::assertSame([1], $wire->batch([['A']], 5));
        self::assertSame([2], $wire->batch([['B']], 5));
        self::assertSame([['AUTH shop secret', 'A', 'B']], $this->peer?->commands());
    }

    public function testRefusedPasswordSaysWhatToDo(): void
    {
        $this->play([[['read' => 2, 'send' => "-WRONGPASS invalid\r\n-NOAUTH Authentication required.\r\n"]]]);
        $wire = $this->wire(new Login('', 'wrong', false));
        try {
            $wire->batch([['A']], 5);
            self::fail('the password is wrong');
        } catch (Refused $failure) {
            self::assertStringContainsString('WRONGPASS invalid. Compare username', $failure->getMessage());
            self::assertStringNotContainsString('wrong', $failure->getMessage());
        }
        self::assertFalse($wire->isConnected());
    }

    public function testNobodyListens(): void
    {
        $wire = new SocketWire(static fn (): Address => new Address('127.0.0.1', 1), new Login('', '', false), 2);
        try {
            $wire->batch([['A']], 5);
            self::fail('nobody listens on port 1');
        } catch (Unreachable $failure) {
            self::assertFalse($failure->sent);
            self::assertStringContainsString('No connection to tcp://127.0.0.1:1', $failure->getMessage());
        }
    }

    public function testConnectionThatBreaksIsMadeAnew(): void
    {
        $this->play([[['read' => 1, 'close' => true]], [['read' => 1, 'send' => ":7\r\n"]]]);
        $wire = $this->wire();
        try {
            $wire->batch([['A']], 5);
            self::fail('the peer has hung up');
        } catch (Unreachable $failure) {
            self::assertTrue($failure->sent);
            self::assertStringContainsString('broke while reading', $failure->getMessage());
        }
        self::assertFalse($wire->isConnected());
        self::assertSame([7], $wire->batch([['B']], 5));
        self::assertTrue($wire->isConnected());
    }

    public function testConnectionThatEndsInTheMiddleOfAReplyBreaks(): void
    {
        foreach (["\$10\r\nabc", "*2\r\n:1\r\n", ':12', "\$3\r\nabc"] as $part) {
            $this->play([[['read' => 1, 'send' => $part, 'close' => true]]]);
            try {
                $this->wire()->batch([['A']], 5);
                self::fail('half a reply is none');
            } catch (Unreachable $failure) {
                self::assertTrue($failure->sent);
            }
        }
    }

    public function testLateAnswerIsNotTakenForTheNextOne(): void
    {
        $this->play([[['read' => 1], ['read' => 1]], [['read' => 1, 'send' => ":2\r\n"]]]);
        $wire = $this->wire();
        $start = microtime(true);
        try {
            $wire->batch([['A']], 0.2);
            self::fail('the peer is silent');
        } catch (Unreachable $failure) {
            self::assertStringContainsString('No answer', $failure->getMessage());
            self::assertLessThan(5, microtime(true) - $start);
        }
        self::assertSame([2], $wire->batch([['B']], 5));
        self::assertSame([['A', '(closed)'], ['B']], $this->peer?->commands());
    }

    public function testTimeIsForAllRepliesTogetherHoweverTheyDrip(): void
    {
        $this->play([[['read' => 1, 'send' => '$1000000' . "\r\nabc"], ['read' => 1]]]);
        $this->expectException(Unreachable::class);
        $this->expectExceptionMessage('No answer');
        $this->wire()->batch([['A']], 0.2);
    }

    /** @return iterable<string, array{string, string}> */
    public static function damage(): iterable
    {
        yield 'http' => ["HTTP/1.1 400 Bad Request\r\n", 'HTTP'];
        yield 'too long' => ['$' . (ReplyReader::MAX_BULK_BYTES + 1) . "\r\n", 'a string of'];
        yield 'negative' => ["\$-2\r\n", 'a string of -2'];
        yield 'no number' => [":abc\r\n", 'not a number'];
        yield 'huge number' => [":123456789012345678901234567890\r\n", 'not a number'];
        yield 'wide array' => ["*70000\r\n", 'an array of 70000'];
        yield 'deep array' => [str_repeat("*1\r\n", 9), 'at depth 8'];
        yield 'endless line' => [str_repeat('+', 70000), 'a line has no end'];
        yield 'longer than said' => ["\$3\r\nabcd\r\n", 'longer than it says'];
    }

    /** @dataProvider damage */
    public function testWhatIsNoReplyEndsTheConnection(string $bytes, string $why): void
    {
        $this->play([[['read' => 1, 'send' => $bytes], ['read' => 1]]]);
        $wire = $this->wire();
        try {
            $wire->batch([['A']], 5);
            self::fail('this is no reply');
        } catch (Unreachable $failure) {
            self::assertStringContainsString($why, $failure->getMessage());
        }
        self::assertFalse($wire->isConnected());
    }

    public function testTooLargeAnArgumentIsRefusedBeforeItIsSent(): void
    {
        $this->play([[['read' => 1, 'send' => ":1\r\n"], ['read' => 1]]]);
        $wire = $this->wire();
        $wire->batch([['A']], 5);
        try {
            $wire->batch([['B', str_repeat('x', ReplyReader::MAX_BULK_BYTES + 1)]], 5);
            self::fail('nobody could read it');
        } catch (Refused $failure) {
            self::assertStringContainsString('is not written', $failure->getMessage());
        }
        self::assertSame([['A', '(closed)']], $this->peer?->commands());
    }

    public function testLoadingServerIsUnreachable(): void
    {
        $this->play([[['read' => 1, 'send' => "-LOADING Redis is loading the dataset in memory\r\n"]]]);
        $this->expectException(Unreachable::class);
        $this->expectExceptionMessage('still loads');
        $this->wire()->batch([['A']], 5);
    }

    public function testUnixSocket(): void
    {
        $path = sys_get_temp_dir() . '/cloakroom-peer-' . getmypid() . '.sock';
        $this->peer = new Peer([[['read' => 1, 'send' => ":1\r\n"]]], "unix://$path");
        $wire = new SocketWire(static fn (): Address => Address::fromHost($path, 0), new Login('', '', false), 5);
        self::assertSame([1], $wire->batch([['A']], 5));
        $this->peer->commands();
        unlink($path);
    }

    public function testTlsChecksTheCertificate(): void
    {
        $this->certificate = new Certificate('redis.shop');
        $certificate = $this->certificate->path;
        $large = random_bytes(300_000);
        $this->peer = new Peer([
            [['read' => 2, 'send' => '$300000' . "\r\n$large\r\n:1\r\n"]], [],
        ], 'tls://127.0.0.1:0', $certificate);
        $trusted = ['cafile' => $certificate, 'peer_name' => 'redis.shop'];
        $replies = $this->wire(new Login('', '', false), $trusted)->batch([['A'], ['B', $large]], 5);
        self::assertSame([$large, 1], $replies);
        try {
            $this->wire(new Login('', '', false), ['peer_name' => 'redis.shop'])->batch([['A']], 5);
            self::fail('nobody trusts this certificate');
        } catch (Unreachable $failure) {
            self::assertStringContainsString('certificate verify failed', $failure->getMessage());
        }
    }

    public function testKeptConnectionIsProvedWithAnEcho(): void
    {
        $this->play([[['read' => 2, 'send' => ":1\r\n\$3\r\nold\r\n"], ['read' => 1]]]);
        $wire = $this->wire(new Login('', '', false), [], 'kept' . random_int(0, PHP_INT_MAX));
        self::assertTrue($wire->isPersistent());
        try {
            $wire->batch([['A']], 5);
            self::fail('the word did not come back');
        } catch (Unreachable $failure) {
            self::assertStringContainsString('held an old reply', $failure->getMessage());
        }
        $commands = $this->peer?->commands();
        self::assertStringStartsWith('ECHO ', $commands[0][1]);
        self::assertSame('(closed)', $commands[0][2]);
    }

    public function testAForkedChildConnectsAnew(): void
    {
        $answer = [['read' => 1, 'send' => ":1\r\n"]];
        $this->play([[...$answer, ['read' => 1, 'send' => ":3\r\n"]], [['read' => 1, 'send' => ":2\r\n"]]]);
        $wire = $this->wire();
        $wire->batch([['A']], 5);
        $child = pcntl_fork();
        if ($child === 0) {
            // Only the exit status is of interest; PHPUnit's own shutdown must not run twice.
            $replies = [];
            try {
                $replies = $wire->isConnected() ? [] : $wire->batch([['B']], 5);
            } finally {
                posix_kill((int) getmypid(), $replies === [2] ? SIGUSR1 : SIGUSR2);
                sleep(5);
            }
        }
        // The peer serves one connection after the other.
        self::assertSame([3], $wire->batch([['C']], 5));
        pcntl_waitpid($child, $status);
        self::assertSame(SIGUSR1, pcntl_wtermsig($status));
        self::assertSame([['A', 'C'], ['B']], $this->peer?->commands());
    }

    /** @param list<list<array<string, mixed>>> $connections */
    private function play(array $connections): void
    {
        $this->peer?->stop();
        $this->peer = new Peer($connections);
    }

    /** @param array<string, mixed> $tls */
    private function wire(?Login $login = null, array $tls = [], string $persistentId = ''): SocketWire
    {
        $address = $this->peer?->address ?? new Address('127.0.0.1', 1);
        return new SocketWire(
            static fn (): Address => $address,
            $login ?? new Login('', '', false),
            5,
            $tls,
            $persistentId
        );
    }
}
