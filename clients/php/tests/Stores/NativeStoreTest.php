<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Stores;

use Cloakroom\Session\Error\Fenced;
use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\Error\TooMany;
use Cloakroom\Session\Error\Unreachable;
use Cloakroom\Session\NativeStore;
use Cloakroom\Session\Request;
use Cloakroom\Session\Settings;
use Cloakroom\Session\State;
use Cloakroom\Session\Tests\Support\FakeWire;
use Cloakroom\Session\Wire\ErrorReply;
use PHPUnit\Framework\TestCase;

final class NativeStoreTest extends TestCase
{
    private const OPEN = 'SESSION.OPEN sess_a WAIT 45000 LEASE 30000 LIMIT 20 OWNER web1|5 REQ GET shop/cart/';
    private const REPLY = [77, 'n|i:1;', 7, '7-70', 3412345, null];

    /** @var list<int> */
    private array $slept = [];
    private float $now = 1000.0;

    public function testFirstCommandOfAConnectionGoesWithSelectInOneWrite(): void
    {
        $wire = new FakeWire([['OK', self::REPLY], [self::REPLY]]);
        $store = $this->store($wire);
        $state = $store->open('sess_a', self::request());
        self::assertSame([77, 'n|i:1;', 7, '7-70'], [$state->fence, $state->data, $state->writes, $state->version]);
        $store->open('sess_a', self::request());
        self::assertSame(['SELECT 2 · ' . self::OPEN, self::OPEN], $wire->sent);
        self::assertSame([47.0, 47.0], $wire->timeouts, 'the wait and two seconds');
    }

    public function testDatabaseZeroNeedsNoSelect(): void
    {
        $wire = new FakeWire([[self::REPLY]]);
        $this->store($wire, ['database' => '0'])->open('sess_a', self::request());
        self::assertSame([self::OPEN], $wire->sent);
    }

    public function testKeptConnectionIsClearedOnceAndSelectedAlways(): void
    {
        $wire = new FakeWire([[0, 'OK', self::REPLY], new Unreachable('broke', true), ['OK', 8]], persistent: true);
        $store = $this->store($wire, ['database' => '0']);
        $state = $store->open('sess_a', self::request());
        $store->commit('sess_a', self::request(), $state, 'x', 60);
        self::assertSame([
            'SESSION.RESET · SELECT 0 · ' . self::OPEN,
            'SESSION.COMMIT sess_a 77 DATA x EX 60 IF 7-70',
            'SELECT 0 · SESSION.COMMIT sess_a 77 DATA x EX 60 IF 7-70',
        ], $wire->sent, 'a second RESET would drop the lock of this very request');
    }

    public function testWhatFollowsARefusedSelectIsNotTaken(): void
    {
        $wire = new FakeWire([[new ErrorReply('ERR DB index is out of range'), self::REPLY]]);
        try {
            $this->store($wire)->open('sess_a', self::request());
            self::fail('the lock is in another database');
        } catch (Refused $failure) {
            self::assertStringContainsString('SELECT 2: ERR DB index is out of range', $failure->getMessage());
        }
        self::assertSame(1, $wire->disconnects, 'which frees the lock there');
    }

    public function testUnknownReplyToSelectIsAskedForAgain(): void
    {
        $locked = new ErrorReply('LOCKED web1|9 holds it');
        $wire = new FakeWire([[null, $locked], ['OK'], [[0, null, 0, '0-0', -2, null]]]);
        self::assertFalse($this->store($wire)->open('sess_a', self::request())->isLocked());
        self::assertSame(['SELECT 2', 'SESSION.READ sess_a'], array_slice($wire->sent, 1));
        $wire = new FakeWire([[null, $locked], [new ErrorReply('ERR DB index is out of range')]]);
        $this->expectException(Refused::class);
        $this->store($wire)->open('sess_a', self::request());
    }

    public function testSettingsGetIntoTheCommand(): void
    {
        $wire = new FakeWire([['OK', self::REPLY]]);
        $options = ['wait' => '0', 'lease_frontend' => '1.5', 'max_concurrency' => '6'];
        $this->store($wire, $options)->open('sess_a', self::request(str_repeat('u', 300)));
        self::assertSame(
            'SELECT 2 · SESSION.OPEN sess_a WAIT 0 LEASE 1500 LIMIT 6 OWNER web1|5 REQ ' . str_repeat('u', 256),
            $wire->sent[0]
        );
    }

    public function testLongHostNamesAreCut(): void
    {
        $wire = new FakeWire([['OK', self::REPLY]]);
        $this->store($wire)->open('sess_a', new Request(str_repeat('h', 100) . '|12345', 'GET /'));
        self::assertStringContainsString(' OWNER ' . str_repeat('h', 58) . '|12345 REQ ', $wire->sent[0]);
    }

    public function testQueryOfThePageStaysHere(): void
    {
        $wire = new FakeWire([['OK', self::REPLY]]);
        $this->store($wire)->open('sess_a', self::request('GET shop/reset?token=secret'));
        self::assertStringEndsWith('REQ GET shop/reset', $wire->sent[0]);
    }

    public function testKnownContentIsNotSentAgain(): void
    {
        $wire = new FakeWire([['OK', [78, null, 7, '7-70', 1000, null]]]);
        $known = new State(0, 'n|i:1;', 7, '7-70', 2000);
        $state = $this->store($wire)->open('sess_a', self::request(), $known);
        self::assertStringEndsWith(' IFCHANGED 7-70', $wire->sent[0]);
        self::assertSame([78, 'n|i:1;'], [$state->fence, $state->data]);
    }

    public function testLockedIsReadWithoutALock(): void
    {
        $locked = new ErrorReply('LOCKED web1|9 holds it for 45001 ms, 2 wait before you');
        $wire = new FakeWire([['OK', $locked], [[0, 'n|i:1;', 7, '7-70', 1000, null]]]);
        $state = $this->store($wire)->open('sess_a', self::request());
        self::assertSame('SESSION.READ sess_a', $wire->sent[1]);
        self::assertFalse($state->isLocked());
        self::assertSame('n|i:1;', $state->data);
        self::assertSame($locked->message, $state->refusal);
    }

    public function testTooManyIsAnErrorOfItsOwn(): void
    {
        $wire = new FakeWire([['OK', new ErrorReply('TOOMANY 20 wait already')]]);
        $this->expectException(TooMany::class);
        $this->expectExceptionMessage('20 wait already');
        $this->store($wire)->open('sess_a', self::request());
    }

    /** @return iterable<string, array{string}> */
    public static function refusals(): iterable
    {
        foreach (
            [
                'WRONGTYPE Operation against a key holding the wrong kind of value',
                'ERR syntax error',
                'MISCONF Errors writing to disk',
                'NOREPLICAS Not enough good replicas to write.',
                'NOAUTH Authentication required.',
                'BUSY Redis is busy running a script.',
            ] as $message
        ) {
            yield explode(' ', $message)[0] . strlen($message) => [$message];
        }
    }

    /** @dataProvider refusals */
    public function testOtherErrorsOfOpenAreRefusals(string $message): void
    {
        $wire = new FakeWire([['OK', new ErrorReply($message)]]);
        $this->expectException(Refused::class);
        $this->expectExceptionMessage("SESSION.OPEN: $message");
        $this->store($wire)->open('sess_a', self::request());
    }

    public function testUnknownCommandAndNoPermissionMeanNoNativeSessions(): void
    {
        foreach (
            [
                "ERR unknown command 'SESSION.OPEN', with args beginning with: 'sess_a'",
                "NOPERM User shop has no permissions to run the 'session.open' command",
            ] as $message
        ) {
            try {
                $this->store(new FakeWire([['OK', new ErrorReply($message)]]))->open('sess_a', self::request());
                self::fail($message);
            } catch (Refused $failure) {
                self::assertTrue($failure->isWithoutSessions(), $message);
            }
        }
    }

    public function testOpenOnAConnectionThatBrokeMeanwhileIsSentAgain(): void
    {
        $wire = new FakeWire([['OK', self::REPLY], new Unreachable('broke', true), ['OK', self::REPLY]]);
        $store = $this->store($wire);
        $store->open('sess_a', self::request());
        $store->open('sess_a', self::request());
        self::assertStringStartsWith('SELECT 2 · SESSION.OPEN sess_a WAIT 44950 ', $wire->sent[2]);
        self::assertEqualsWithDelta(46.95, $wire->timeouts[2], 1e-6, 'both tries share the time');
    }

    /** @return iterable<string, array{list<mixed>|\Throwable}> */
    public static function endsOfAWait(): iterable
    {
        yield 'crash' => [new Unreachable('broke', true)];
        yield 'demotion while waiting' => [['OK', new ErrorReply('UNBLOCKED the server is a replica now')]];
        yield 'replica' => [['OK', new ErrorReply("READONLY You can't write against a read only replica.")]];
    }

    /**
     * @dataProvider endsOfAWait
     * @param list<mixed>|\Throwable $end
     */
    public function testWaiterQueuesAnewAfterARestartOrAFailover(array|\Throwable $end): void
    {
        $wire = new FakeWire([$end, new Unreachable('refused'), ['OK', self::REPLY]]);
        self::assertSame(77, $this->store($wire)->open('sess_a', self::request())->fence);
        self::assertSame([50_000, 100_000], $this->slept);
        self::assertStringStartsWith('SELECT 2 · SESSION.OPEN sess_a WAIT 44850 ', $wire->sent[2]);
    }

    public function testWaiterMeetsAServerThatStopsMoreThanOnce(): void
    {
        $broke = new Unreachable('broke', true);
        $replica = ['OK', new ErrorReply("READONLY You can't write against a read only replica.")];
        $wire = new FakeWire([$broke, $broke, $replica, $replica, ['OK', self::REPLY]]);
        self::assertSame(77, $this->store($wire)->open('sess_a', self::request())->fence);
        self::assertSame(2, $wire->disconnects, 'a replica is not asked again over the same connection');
    }

    public function testReplicaThatStaysOneIsRefusedInTheEnd(): void
    {
        $replica = ['OK', new ErrorReply("READONLY You can't write against a read only replica.")];
        $wire = new FakeWire(array_fill(0, 10, $replica));
        try {
            $this->store($wire)->open('sess_a', self::request());
            self::fail('it is no primary');
        } catch (Refused $failure) {
            self::assertTrue($failure->isFromReplica());
            $wire->assertDone();
        }
    }

    public function testReplyThatIsNoSessionEndsTheConnectionAndItsLock(): void
    {
        $wire = new FakeWire([['OK', 'odd']]);
        try {
            $this->store($wire)->open('sess_a', self::request());
            self::fail('this is no session');
        } catch (Refused) {
            self::assertSame(1, $wire->disconnects);
        }
    }

    public function testOpenOnANewConnectionIsNotSentAgain(): void
    {
        $wire = new FakeWire([new Unreachable('refused')]);
        $this->expectException(Unreachable::class);
        $this->store($wire)->open('sess_a', self::request());
    }

    public function testCommitNamesFenceExpiryAndVersion(): void
    {
        $wire = new FakeWire([['OK', 8]]);
        $this->store($wire)->commit('sess_a', self::request(), self::held(), 'n|i:2;', 3600);
        self::assertSame(['SELECT 2 · SESSION.COMMIT sess_a 77 DATA n|i:2; EX 3600 IF 7-70'], $wire->sent);
    }

    public function testUnchangedSessionIsCommittedWithoutItsData(): void
    {
        $wire = new FakeWire([['OK', 8]]);
        $store = $this->store($wire);
        $store->commit('sess_a', self::request(), self::held(), null, 3600);
        self::assertSame(['SELECT 2 · SESSION.COMMIT sess_a 77 EX 3600 IF 7-70'], $wire->sent);
        self::assertFalse($store->alwaysWrites());
    }

    /** @return iterable<string, array{list<mixed>|\Throwable}> */
    public static function interruptions(): iterable
    {
        yield 'broken connection' => [new Unreachable('broke', true)];
        yield 'demoted server' => [[new ErrorReply("READONLY You can't write against a read only replica.")]];
    }

    /**
     * @dataProvider interruptions
     * @param list<mixed>|\Throwable $interruption
     */
    public function testInterruptedCommitIsSentAgainOnANewConnection(array|\Throwable $interruption): void
    {
        $wire = new FakeWire([['OK', self::REPLY], $interruption, ['OK', 8]]);
        $store = $this->store($wire);
        $state = $store->open('sess_a', self::request());
        $store->commit('sess_a', self::request(), $state, 'x', 60);
        self::assertSame('SESSION.COMMIT sess_a 77 DATA x EX 60 IF 7-70', $wire->sent[1]);
        self::assertSame("SELECT 2 · {$wire->sent[1]}", $wire->sent[2]);
    }

    public function testCommitWaitsForAServerThatRestarts(): void
    {
        $gone = new Unreachable('refused');
        $wire = new FakeWire([new Unreachable('broke', true), $gone, $gone, ['OK', 8]]);
        $this->store($wire)->commit('sess_a', self::request(), self::held(), 'x', 60);
        self::assertSame([50_000, 100_000, 200_000], $this->slept);
    }

    /** A server that stops takes connections and breaks them, until it has ended. */
    public function testCommitIsSentAgainHoweverOftenItBreaks(): void
    {
        $broke = new Unreachable('broke while reading', true);
        $replica = ['OK', new ErrorReply("READONLY You can't write against a read only replica.")];
        $wire = new FakeWire([$broke, $broke, $replica, $broke, $replica, ['OK', 8]]);
        $this->store($wire)->commit('sess_a', self::request(), self::held(), 'x', 60);
        $wire->assertDone();
        self::assertCount(1, array_unique($wire->sent));
    }

    /** @return iterable<string, array{bool, array<string, string>, float}> was it sent, options, seconds */
    public static function limits(): iterable
    {
        $sentinel = ['sentinel_servers' => 'a', 'sentinel_master' => 'm'];
        foreach (['refused' => false, 'broken' => true] as $name => $sent) {
            yield $name => [$sent, [], 2.5];
            yield "$name, other time-out" => [$sent, ['timeout' => '0.3'], 0.3];
            yield "$name, Sentinel" => [$sent, $sentinel, 15.0];
            yield "$name, Sentinel, asked once" => [$sent, $sentinel + ['sentinel_connect_retries' => '0'], 2.5];
        }
    }

    /**
     * @dataProvider limits
     * @param array<string, string> $options
     */
    public function testCommitGivesUpWhenTheTimeIsOverAndSaysSo(bool $sent, array $options, float $seconds): void
    {
        $wire = new FakeWire(array_fill(0, 100, new Unreachable('gone', $sent)));
        try {
            $this->store($wire, $options)->commit('sess_a', self::request(), self::held(), 'x', 60);
            self::fail('nobody wrote');
        } catch (Unreachable) {
            self::assertEqualsWithDelta($seconds, array_sum($this->slept) / 1e6, 1e-6);
            self::assertCount(1 + count($this->slept), $wire->sent);
            self::assertLessThanOrEqual(400_000, max($this->slept));
        }
    }

    /** @return iterable<string, array{array<string, string>, list<float>, float}> options, time-outs, all of it */
    public static function muteServers(): iterable
    {
        $sentinel = ['sentinel_servers' => 'a', 'sentinel_master' => 'm'];
        yield 'one server' => [[], [10.0, 2.45], 12.5];
        yield 'other time-out' => [['timeout' => '0.3'], [10.0, 0.25], 10.3];
        yield 'Sentinel' => [$sentinel, [10.0, 10.0, 4.85], 25.0];
    }

    /**
     * @dataProvider muteServers
     * @param array<string, string> $options
     * @param list<float> $timeouts
     */
    public function testRepeatedCommitWaitsNoLongerThanTheTimeLeft(array $options, array $timeouts, float $sum): void
    {
        $wire = $this->muteWire();
        try {
            $this->store($wire, $options)->commit('sess_a', self::request(), self::held(), 'x', 60);
            self::fail('nobody answered');
        } catch (Unreachable) {
            self::assertEqualsWithDelta($timeouts, $wire->timeouts, 1e-6);
            self::assertNull($wire->connects[0], 'the first try has all its rounds');
            self::assertEqualsWithDelta($sum - 10.05, $wire->connects[1], 1e-6);
            self::assertEqualsWithDelta(1000.0 + $sum, $this->now, 1e-6);
        }
    }

    public function testRepeatedOpenWaitsNoLongerThanTheTimeLeft(): void
    {
        $wire = $this->muteWire();
        try {
            $this->store($wire)->open('sess_a', self::request());
            self::fail('nobody answered');
        } catch (Unreachable) {
            self::assertEqualsWithDelta([47.0, 2.0, 0.35], $wire->timeouts, 1e-6);
            self::assertEqualsWithDelta([null, 2.45, 0.35], $wire->connects, 1e-6);
            self::assertEqualsWithDelta(1049.5, $this->now, 1e-6);
        }
    }

    public function testTheLastTryHasALittleTime(): void
    {
        $wire = new FakeWire(array_fill(0, 100, new Unreachable('refused')));
        try {
            $this->store($wire)->commit('sess_a', self::request(), self::held(), 'x', 60);
            self::fail('nobody listens');
        } catch (Unreachable) {
            self::assertEqualsWithDelta(0.1, end($wire->timeouts), 1e-6);
        }
    }

    /** The wire has looked for it as long as all repeats would. */
    public function testServerThatWasLookedForInVainIsNotLookedForAgain(): void
    {
        $wire = new FakeWire([new Unreachable('no Sentinel answers')], persistent: true);
        $wire->passes = fn () => $this->now += 15.1;
        try {
            $options = ['sentinel_servers' => 'a', 'sentinel_master' => 'm'];
            $this->store($wire, $options)->open('sess_a', self::request());
            self::fail('nobody is there');
        } catch (Unreachable) {
            self::assertCount(1, $wire->sent);
        }
    }

    public function testLongSearchCountsAmongTheRepeats(): void
    {
        $wire = new FakeWire(array_fill(0, 100, new Unreachable('broke', true)));
        $wire->passes = fn (float $timeoutS, ?float $connectS) => $this->now += $connectS === null ? 14.0 : 0.0;
        try {
            $options = ['sentinel_servers' => 'a', 'sentinel_master' => 'm'];
            $this->store($wire, $options)->commit('sess_a', self::request(), self::held(), 'x', 60);
            self::fail('nobody wrote');
        } catch (Unreachable) {
            self::assertEqualsWithDelta(1025.0, $this->now, 1e-6, 'ten for the answer, fifteen for the repeats');
        }
    }

    public function testSessionThatExpiredIsMadeAnewWithTheDataThatWasRead(): void
    {
        $wire = new FakeWire([['OK', 0], [1]]);
        $this->store($wire)->commit('sess_a', self::request(), self::held(), null, 3600);
        self::assertSame('SESSION.COMMIT sess_a 77 DATA n|i:1; EX 3600 IF 0-0', $wire->sent[1]);
    }

    public function testSessionThatExpiredAndIsOfSomebodyElseNowIsFenced(): void
    {
        $wire = new FakeWire([['OK', 0], [new ErrorReply('FENCED unknown')]]);
        $this->expectException(Fenced::class);
        $this->expectExceptionMessage('FENCED unknown; the session had expired, and somebody else opened it first');
        $this->store($wire)->commit('sess_a', self::request(), self::held(), null, 3600);
    }

    public function testSessionThatNeverWasIsNotMade(): void
    {
        $wire = new FakeWire([['OK', 0]]);
        $new = new State(77, null, 0, State::ABSENT, -2);
        $this->store($wire)->commit('sess_a', self::request(), $new, null, 3600);
        self::assertCount(1, $wire->sent);
    }

    public function testFencedSaysWhatTheServerSaid(): void
    {
        $wire = new FakeWire([['OK', new ErrorReply('FENCED broken by web3|9 after 30004 ms')]]);
        $this->expectException(Fenced::class);
        $this->expectExceptionMessage('FENCED broken by web3|9 after 30004 ms');
        $this->store($wire)->commit('sess_a', self::request(), self::held(), 'x', 60);
    }

    public function testFencedAfterARepeatSaysThatItMayBeAFalseAlarm(): void
    {
        $wire = new FakeWire([new Unreachable('broke', true), ['OK', new ErrorReply('FENCED changed')]]);
        $this->expectException(Fenced::class);
        $this->expectExceptionMessage('it may have been done the first time');
        $this->store($wire)->commit('sess_a', self::request(), self::held(), 'x', 60);
    }

    public function testFencedAfterATryThatWasNotSentIsNoFalseAlarm(): void
    {
        $wire = new FakeWire([new Unreachable('AUTH broke'), ['OK', new ErrorReply('FENCED changed')]]);
        try {
            $this->store($wire)->commit('sess_a', self::request(), self::held(), 'x', 60);
            self::fail('it is fenced');
        } catch (Fenced $failure) {
            self::assertSame('FENCED changed', $failure->getMessage());
        }
    }

    public function testRefusedCommitIsNoSuccess(): void
    {
        $wire = new FakeWire([['OK', new ErrorReply('OOM command not allowed when used memory > maxmemory.')]]);
        $this->expectException(Refused::class);
        $this->expectExceptionMessage('SESSION.COMMIT: OOM');
        $this->store($wire)->commit('sess_a', self::request(), self::held(), 'x', 60);
    }

    public function testReleaseNamesTheFence(): void
    {
        $wire = new FakeWire([['OK', self::REPLY], [0]]);
        $store = $this->store($wire);
        $store->release('sess_a', self::request(), $store->open('sess_a', self::request()));
        self::assertSame('SESSION.RELEASE sess_a 77', $wire->sent[1]);
    }

    public function testAfterTheConnectionThereIsNothingToRelease(): void
    {
        $wire = new FakeWire([]);
        $this->store($wire)->release('sess_a', self::request(), self::held());
        self::assertSame([], $wire->sent);
    }

    public function testReadAndExtendAndDestroy(): void
    {
        $wire = new FakeWire([['OK', [0, 'x', 7, '7-70', 1000, null]], [1], [1]]);
        $store = $this->store($wire);
        self::assertSame('x', $store->read('sess_a')->data);
        $store->extend('sess_a', 3600);
        $store->destroy('sess_a');
        self::assertSame(
            ['SELECT 2 · SESSION.READ sess_a', 'EXPIRE sess_a 3600 GT', 'SESSION.DESTROY sess_a'],
            $wire->sent
        );
    }

    public function testHolderIsReadFromInfoAndNeverThrows(): void
    {
        $info = ['state', 'held', 'owner', 'web3|9', 'req', 'GET /a', 'waiters', []];
        self::assertSame('web3|9 GET /a', $this->store(new FakeWire([['OK', $info]]))->holder('sess_a'));
        self::assertSame('nobody now', $this->store(new FakeWire([['OK', ['state', 'free']]]))->holder('sess_a'));
        self::assertSame('unknown', $this->store(new FakeWire([new Unreachable('x')]))->holder('sess_a'));
        $noPermission = new ErrorReply('NOPERM');
        self::assertSame('nobody now', $this->store(new FakeWire([['OK', $noPermission]]))->holder('sess_a'));
    }

    /** @param array<string, mixed> $options */
    private function store(FakeWire $wire, array $options = []): NativeStore
    {
        return new NativeStore($wire, new Settings($options + ['database' => '2']), function (int $microseconds): void {
            $this->slept[] = $microseconds;
            $this->now += $microseconds / 1e6;
        }, fn (): float => $this->now);
    }

    /** A server that takes everything and answers nothing. */
    private function muteWire(): FakeWire
    {
        $wire = new FakeWire(array_fill(0, 100, new Unreachable('No answer in time.', true)));
        $wire->passes = fn (float $timeoutS) => $this->now += $timeoutS;
        return $wire;
    }

    private static function request(string $line = 'GET shop/cart/'): Request
    {
        return new Request('web1|5', $line);
    }

    private static function held(): State
    {
        return new State(77, 'n|i:1;', 7, '7-70', 1000);
    }
}
