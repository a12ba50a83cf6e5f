<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Stores;

use Cloakroom\Session\Error\Fenced;
use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\Error\SessionError;
use Cloakroom\Session\Error\TooMany;
use Cloakroom\Session\Error\Unreachable;
use Cloakroom\Session\Tests\Support\HandlerCase;
use Cloakroom\Session\Wire\ErrorReply;

/** What the handler does, and says, when it cannot do what a page wants. */
final class HandlerTroubleTest extends HandlerCase
{
    public function testLockedSessionIsReadAndItsLostChangesAreCritical(): void
    {
        $locked = new ErrorReply('LOCKED web1|9 holds it for 45001 ms, 2 wait before you');
        $handler = $this->handler([[$locked], [[0, 'x', 7, '7-70', 1, null]]]);
        self::assertSame('x', $handler->read('a'));
        self::assertTrue($handler->write('a', 'y'));
        $handler->close();
        self::assertStringStartsWith('warning: ', $this->log->lines[0]);
        self::assertStringStartsWith('critical: ', $this->log->lines[1]);
        self::assertStringContainsString('LOCKED web1|9', $this->log->lines[1]);
    }

    public function testBrokenLockIsNoted(): void
    {
        $handler = $this->handler([[[77, 'x', 7, '7-70', 1, 'web1|9 5003ms GET /checkout']], [1]]);
        $handler->read('a');
        $handler->close();
        self::assertStringContainsString('took over the lock of web1|9 5003ms GET /checkout', $this->log->text());
    }

    public function testTooManyIsThrownOn(): void
    {
        $handler = $this->handler([[new ErrorReply('TOOMANY 20 wait already')]]);
        $this->expectException(TooMany::class);
        $handler->read('a');
    }

    public function testFencedIsCriticalWithBothRequestsAndNoWarningOfPhp(): void
    {
        $info = ['state', 'held', 'owner', 'web3|9', 'req', 'GET /checkout'];
        $handler = $this->handler([[self::HELD], [new ErrorReply('FENCED broken by web3|9 after 30004 ms')], [$info]]);
        $handler->read('a');
        self::assertTrue($handler->write('a', 'n|i:2;'));
        $handler->close();
        $line = $this->log->text();
        self::assertStringStartsWith('critical: ' . gethostname() . '|' . getmypid() . ' GET shop/cart/', $line);
        self::assertStringContainsString('FENCED broken by web3|9 after 30004 ms', $line);
        self::assertStringEndsWith('Now: web3|9 GET /checkout', $line);
    }

    public function testFencedWithoutAChangeLosesNothing(): void
    {
        $handler = $this->handler([[self::HELD], [new ErrorReply('FENCED deleted')]]);
        $handler->read('a');
        self::assertTrue($handler->write('a', 'n|i:1;'));
        self::assertSame([], $this->log->lines);
    }

    /** @return iterable<string, array{\Throwable, string}> what happened to the first COMMIT, what is said of it */
    public static function lostConnections(): iterable
    {
        yield 'it may have found no session' => [new Unreachable('broke', true), 'sent again after'];
        yield 'it was not sent' => [new Unreachable('refused'), 'FENCED deleted'];
    }

    /** @dataProvider lostConnections */
    public function testUnchangedSessionThatIsGoneIsNotedAfterALostConnection(
        \Throwable $lost,
        string $said
    ): void {
        foreach (['log', 'fail', 'merge'] as $onFenced) {
            $script = [[self::HELD], $lost, [new ErrorReply('FENCED deleted')]];
            $handler = $this->handler($script, ['on_fenced' => $onFenced]);
            self::assertTrue($handler->write('a', $handler->read('a')));
            $handler->close();
            $this->wire->assertDone();
            self::assertCount(1, $this->log->lines);
            self::assertStringStartsWith('notice: ' . self::who() . 'session a… is gone: ', $this->log->text());
            self::assertStringContainsString($said, $this->log->text());
        }
    }

    public function testUnchangedSessionThatSomebodyElseHasAfterALostConnectionCostsNothing(): void
    {
        $handler = $this->handler([[self::HELD], new Unreachable('broke', true), [new ErrorReply('FENCED changed')]]);
        self::assertTrue($handler->write('a', $handler->read('a')));
        self::assertSame([], $this->log->lines);
    }

    public function testFencedMayFail(): void
    {
        $fenced = new ErrorReply('FENCED deleted');
        $handler = $this->handler([[self::HELD], [$fenced], [['state', 'free']]], ['on_fenced' => 'fail']);
        $handler->read('a');
        $this->expectException(Fenced::class);
        $handler->write('a', 'n|i:2;');
    }

    public function testFencedMayMerge(): void
    {
        $handler = $this->handler([
            [[77, 'n|i:1;c|i:1;', 7, '7-70', 1, null]],
            [new ErrorReply('FENCED broken by web3|9 after 30004 ms')],
            [[90, 'n|i:1;c|i:5;', 8, '8-80', 1, null]],
            [9],
        ], ['on_fenced' => 'merge']);
        $handler->read('a');
        self::assertTrue($handler->write('a', 'n|i:2;c|i:1;'));
        $handler->close();
        self::assertSame('SESSION.COMMIT sess_a 90 DATA n|i:2;c|i:5; EX 3600 IF 8-80', $this->wire->sent[3]);
        self::assertCount(4, $this->wire->sent);
        self::assertStringStartsWith('notice: ', $this->log->text());
    }

    public function testWriteBesideTheLockThatChangedNoContentCostsNothing(): void
    {
        foreach (['n|i:1;', str_repeat('x', 100_000)] as $content) {
            $handler = $this->handler([
                [[77, $content, 7, '7-70', 1, null]],
                [new ErrorReply('FENCED changed after 1 ms')],
                [[90, $content, 8, '8-0', 1, null]],
                [9],
            ]);
            $handler->read('a');
            self::assertTrue($handler->write('a', 'n|i:2;'));
            $handler->close();
            self::assertSame('SESSION.COMMIT sess_a 90 DATA n|i:2; EX 3600 IF 8-0', $this->wire->sent[3]);
            self::assertStringStartsWith('notice: ', $this->log->text());
        }
    }

    public function testWriteBesideTheLockThatChangedTheContentIsNotOverwritten(): void
    {
        $handler = $this->handler([
            [self::HELD], [new ErrorReply('FENCED changed')], [[90, 'n|i:9;', 8, '8-0', 1, null]], [1],
            [['state', 'free']],
        ]);
        $handler->read('a');
        self::assertTrue($handler->write('a', 'n|i:2;'));
        $handler->close();
        self::assertSame('SESSION.RELEASE sess_a 90', $this->wire->sent[3]);
        self::assertStringContainsString('FENCED changed; not written again: others changed', $this->log->text());
    }

    /** @return iterable<string, array{list<list<mixed>>, string, list<string>}> replies after FENCED, why, sent */
    public static function conflicts(): iterable
    {
        yield 'same key' => [[[[90, 'n|i:9;', 8, '8-80', 1, null]], [1]], 'others changed the same', [
            'SESSION.RELEASE sess_a 90',
        ]];
        yield 'gone' => [[[[90, null, 0, '0-0', -2, null]], [1]], 'the session is gone', ['SESSION.RELEASE sess_a 90']];
        yield 'fenced again' => [
            [[[90, 'n|i:1;', 8, '8-80', 1, null]], [new ErrorReply('FENCED deleted')], [0]],
            'not written again: FENCED deleted',
            ['SESSION.COMMIT sess_a 90 DATA n|i:2; EX 3600 IF 8-80', 'SESSION.RELEASE sess_a 90'],
        ];
        yield 'no lock' => [
            [[new ErrorReply('LOCKED web9|1 holds it')], [[0, 'n|i:1;', 8, '8-80', 1, null]]],
            'not written again: LOCKED web9|1 holds it',
            ['SESSION.READ sess_a'],
        ];
    }

    /**
     * @dataProvider conflicts
     * @param list<list<mixed>> $replies
     * @param list<string> $sent
     */
    public function testConflictIsCriticalAndLeavesNoLock(array $replies, string $why, array $sent): void
    {
        $handler = $this->handler(
            [[self::HELD], [new ErrorReply('FENCED changed')], ...$replies, [['state', 'free']]],
            ['on_fenced' => 'merge']
        );
        $handler->read('a');
        self::assertTrue($handler->write('a', 'n|i:2;'));
        $handler->close();
        $this->wire->assertDone();
        self::assertSame($sent, array_slice($this->wire->sent, 3, -1));
        self::assertStringContainsString("critical: ", $this->log->text());
        self::assertStringContainsString($why, $this->log->text());
    }

    public function testRefusedWriteReleasesAndThrows(): void
    {
        $handler = $this->handler([[self::HELD], [new ErrorReply('OOM command not allowed')], [1]]);
        $handler->read('a');
        try {
            $handler->write('a', 'n|i:2;');
            self::fail('the write is lost');
        } catch (Refused) {
            self::assertSame(self::RELEASE, $this->wire->sent[2]);
            self::assertStringStartsWith('critical: ', $this->log->text());
        }
        $handler->close();
        self::assertCount(3, $this->wire->sent);
    }

    public function testUnreachableWriteThrowsAndIsCritical(): void
    {
        $lost = new Unreachable('broke', true);
        $handler = $this->handler([[self::HELD], ...array_fill(0, 20, $lost)], ['timeout' => '0.001']);
        $handler->read('a');
        try {
            $handler->write('a', 'n|i:2;');
            self::fail('nobody knows whether it is written');
        } catch (Unreachable) {
            self::assertStringContainsString('was not written, or nobody knows', $this->log->text());
        }
        $handler->close();
    }

    public function testUnreachableReadThrowsAndIsNoEmptySession(): void
    {
        $handler = $this->handler([new Unreachable('No connection to tcp://x:1: refused')]);
        try {
            $handler->read('a');
            self::fail('an empty session would log out');
        } catch (Unreachable $failure) {
            self::assertNotInstanceOf(\Magento\Framework\Exception\SessionException::class, $failure);
            self::assertStringContainsString('was not opened: No connection', $this->log->text());
        }
        self::assertFalse($handler->write('a', 'n|i:2;'));
        self::assertStringContainsString('was not opened before', $this->log->text());
    }

    public function testUnreadableDataIsAnErrorAndLeavesNoLock(): void
    {
        $handler = $this->handler([[[77, ':gz:damaged', 7, '7-70', 1, null]], [1]]);
        try {
            $handler->read('a');
            self::fail('damaged data is not empty data');
        } catch (Refused) {
            self::assertSame(self::RELEASE, $this->wire->sent[1]);
        }
    }

    public function testFailedReleaseEndsTheConnectionAndClosesAllTheSame(): void
    {
        $handler = $this->handler([[self::HELD], [new ErrorReply('BUSY a script runs')]]);
        $handler->read('a');
        self::assertTrue($handler->close());
        self::assertSame(1, $this->wire->disconnects);
        self::assertStringStartsWith('warning: A lock was not released', $this->log->text());
    }

    /** @return iterable<string, array{list<mixed>|\Throwable, string}> the answer to OPEN, what the log says */
    public static function refusals(): iterable
    {
        foreach (
            [
                'WRONGTYPE Operation against a key holding the wrong kind of value',
                'NOREPLICAS Not enough good replicas to write.',
                'NOAUTH Authentication required.',
                'MISCONF Errors writing to disk',
            ] as $message
        ) {
            yield explode(' ', $message)[0] => [[new ErrorReply($message)], "SESSION.OPEN: $message"];
        }
        yield 'wrong password' => [new Refused('tcp://x:1 refused the password: WRONGPASS'), 'refused the password'];
        yield 'no server' => [new Unreachable('No connection to tcp://x:1: refused'), 'No connection to tcp://x:1'];
        yield 'bad database' => [new Refused('SELECT 99: ERR DB index is out of range'), 'SELECT 99: ERR DB index'];
        yield 'no session' => [['odd'], 'answered something else than a session'];
        yield 'damaged data' => [[[0, ':gz:damaged', 7, '7-70', 3_000_000, null]], 'gzip data is damaged'];
        if (!function_exists('snappy_uncompress')) {
            yield 'no snappy' => [[[0, ':sn:x', 7, '7-70', 3_000_000, null]], 'this PHP has no snappy_uncompress()'];
        }
    }

    /**
     * @dataProvider refusals
     * @param list<mixed>|\Throwable $answer
     */
    public function testWhateverKeepsASessionFromBeingOpenedIsCritical(array|\Throwable $answer, string $why): void
    {
        foreach (['read', 'validateId'] as $method) {
            $handler = $this->handler([$answer]);
            try {
                $handler->$method('a156d906d0753f2d');
                self::fail('an empty session would log out');
            } catch (SessionError) {
                self::assertCount(1, $this->log->lines, $this->log->text());
                self::assertStringStartsWith('critical: ' . self::who() . 'session a156d906… was', $this->log->text());
                self::assertStringContainsString($why, $this->log->text());
            }
        }
    }

    public function testAReplicaThatAnswersIsCritical(): void
    {
        $readOnly = new ErrorReply("READONLY You can't write against a read only replica.");
        $handler = $this->handler(array_fill(0, 20, [$readOnly]), ['timeout' => '0.001']);
        try {
            $handler->read('a');
            self::fail('it has no lock');
        } catch (Refused) {
            self::assertStringContainsString('critical: ', $this->log->text());
            self::assertStringContainsString('SESSION.OPEN: READONLY', $this->log->text());
        }
    }

    public function testFailedDestroyIsCritical(): void
    {
        $refused = [new ErrorReply('NOREPLICAS Not enough good replicas to write.')];
        foreach ([[$refused, 'NOREPLICAS'], [new Unreachable('No connection'), 'No connection']] as [$answer, $why]) {
            $handler = $this->handler([$answer]);
            try {
                $handler->destroy('a156d906d0753f2d');
                self::fail('nobody is logged out');
            } catch (SessionError) {
                self::assertStringStartsWith(
                    'critical: ' . self::who() . 'session a156d906… was not destroyed: ',
                    $this->log->text()
                );
                self::assertStringContainsString($why, $this->log->text());
            }
        }
    }

    /** @return iterable<string, array{list<mixed>|\Throwable}> */
    public static function failedExtensions(): iterable
    {
        yield 'NOREPLICAS' => [[new ErrorReply('NOREPLICAS Not enough good replicas to write.')]];
        yield 'READONLY' => [[new ErrorReply("READONLY You can't write against a read only replica.")]];
        yield 'MISCONF' => [[new ErrorReply('MISCONF Errors writing to disk')]];
        yield 'broken' => [new Unreachable('broke while reading', true)];
    }

    /**
     * @dataProvider failedExtensions
     * @param list<mixed>|\Throwable $answer
     */
    public function testReadOnlyVisitOutlivesItsExpire(array|\Throwable $answer): void
    {
        $handler = $this->handler([[[0, 'x', 7, '7-70', 1_000, null]], $answer]);
        $handler->setReadOnly(true);
        self::assertSame('x', $handler->read('a'));
        self::assertTrue($handler->write('a', 'x'));
        self::assertTrue($handler->close());
        self::assertCount(1, $this->log->lines);
        self::assertStringStartsWith('warning: ', $this->log->text());
        self::assertStringContainsString('was read, but its life was not prolonged: ', $this->log->text());
        $this->wire->assertDone();
    }

    public function testSessionThatMayHaveExpiredMeanwhileIsWrittenWithItsData(): void
    {
        foreach ([[0, true], [1_000, true], [-1, false], [3_000_000, false]] as [$ttlMs, $withData]) {
            $handler = $this->handler([[[77, 'n|i:1;', 7, '7-70', $ttlMs, null]], [8]]);
            self::assertTrue($handler->write('a', $handler->read('a')));
            $data = $withData ? ' DATA n|i:1;' : '';
            self::assertSame("SESSION.COMMIT sess_a 77$data EX 3600 IF 7-70", $this->wire->sent[1]);
        }
    }

    public function testExpiredSessionIsWrittenAnew(): void
    {
        $handler = $this->handler([[self::HELD], [0], [1]]);
        self::assertTrue($handler->write('a', $handler->read('a')));
        self::assertSame('SESSION.COMMIT sess_a 77 DATA n|i:1; EX 3600 IF 0-0', $this->wire->sent[2]);
        self::assertSame([], $this->log->lines);
    }

    /** @dataProvider answersToLoss */
    public function testExpiredSessionThatSomebodyElseHasNowIsCritical(string $onFenced): void
    {
        $handler = $this->handler(
            [[self::HELD], [0], [new ErrorReply('FENCED changed')], [['owner', 'web3|9', 'req', 'GET /a']]],
            ['on_fenced' => $onFenced]
        );
        $data = $handler->read('a');
        try {
            self::assertTrue($handler->write('a', $data));
            self::assertNotSame('fail', $onFenced);
        } catch (Fenced) {
            self::assertSame('fail', $onFenced);
        }
        self::assertStringStartsWith('critical: ', $this->log->text());
        self::assertStringEndsWith('; all that it had is lost. Now: web3|9 GET /a', $this->log->text());
    }

    /** @return list<array{string}> */
    public static function answersToLoss(): array
    {
        return [['log'], ['fail'], ['merge']];
    }

    private static function who(): string
    {
        return gethostname() . '|' . getmypid() . ' GET shop/cart/: ';
    }
}
