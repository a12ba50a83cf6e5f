<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Stores;

use Cloakroom\Session\Error\Fenced;
use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\Error\SessionError;
use Cloakroom\Session\Error\TooMany;
use Cloakroom\Session\Error\Unreachable;
use Cloakroom\Session\PlainStore;
use Cloakroom\Session\Request;
use Cloakroom\Session\Settings;
use Cloakroom\Session\State;
use Cloakroom\Session\Tests\Support\FakeWire;
use Cloakroom\Session\Wire\ErrorReply;
use PHPUnit\Framework\TestCase;

final class PlainStoreTest extends TestCase
{
    private const COUNT = 'HINCRBY sess_a lock 1';
    private const JOIN = 'HINCRBY sess_a wait 1';
    private const LEAVE = 'HINCRBY sess_a wait -1';
    private const OWNER = 'HGET sess_a pid';
    private const LOAD = 'HMGET sess_a data writes';
    private const TAKE = 'HMSET sess_a pid web1|5 lock 1 req GET shop/cart/?q=1 · EXPIRE sess_a 21600';

    /** @var list<int> */
    private array $slept = [];

    public function testFreeLockIsTakenAtOnce(): void
    {
        $wire = new FakeWire([['OK'], [1], [['n|i:1;', '7']], ['OK', 1]]);
        $state = $this->store($wire)->open('sess_a', self::request());
        self::assertSame(['SELECT 2', self::COUNT, self::LOAD, self::TAKE], $wire->sent);
        self::assertSame([true, 'n|i:1;', 7, null], [$state->isLocked(), $state->data, $state->writes, $state->broke]);
        self::assertSame([], $this->slept);
    }

    public function testLockIsGivenBackWhenWhatFollowsFails(): void
    {
        $oom = new ErrorReply('OOM command not allowed');
        $wire = new FakeWire([['OK'], [1], [['x', '1']], [$oom, $oom], [1]]);
        try {
            $this->store($wire)->open('sess_a', self::request());
            self::fail('nobody would know whose lock this is');
        } catch (Refused) {
            self::assertSame('HDEL sess_a lock', end($wire->sent));
        }
    }

    public function testHeldLockIsPolledEveryHalfSecond(): void
    {
        $wire = new FakeWire([['OK'], [2], [1], [3], [1], [[null, null]], [0], ['OK', 1]]);
        $state = $this->store($wire)->open('sess_a', self::request());
        self::assertSame(
            ['SELECT 2', self::COUNT, self::JOIN, self::COUNT, self::COUNT, self::LOAD, self::LEAVE, self::TAKE],
            $wire->sent
        );
        self::assertSame([510_000, 500_000], $this->slept);
        self::assertTrue($state->isLocked());
    }

    public function testLockIsBrokenAfterTheTimeIfItsOwnerIsStillTheSame(): void
    {
        $wire = new FakeWire([
            ['OK'], [2], [1], [3], ['web2|9'], [4], ['web2|9'], [['x', '1']], [0], ['GET /slow'], ['OK', 1],
        ]);
        $state = $this->store($wire, ['break_after_frontend' => '1'])->open('sess_a', self::request());
        self::assertSame([
            'SELECT 2', self::COUNT, self::JOIN, self::COUNT, self::OWNER, self::COUNT, self::OWNER, self::LOAD,
            self::LEAVE, 'HGET sess_a req', self::TAKE,
        ], $wire->sent);
        self::assertSame('web2|9 GET /slow', $state->broke);
    }

    public function testLockOfANewOwnerIsNotBrokenAndTheWaitEndsWithoutALock(): void
    {
        $script = [['OK'], [2], ['web2|0'], [1]];
        for ($try = 1; $try <= 31; ++$try) {
            $script[] = [2 + $try];
            $script[] = ["web2|$try"];
            if ($try === 19) {
                $script[] = ['elsewhere|1'];
            }
        }
        $wire = new FakeWire([...array_slice($script, 0, -2), [['x', '1']], [0], [1]]);
        $state = $this->store($wire, ['break_after_frontend' => '0.5'])->open('sess_a', self::request());
        $wire->assertDone();
        self::assertFalse($state->isLocked());
        self::assertSame('x', $state->data);
        self::assertStringStartsWith('LOCKED', (string) $state->refusal);
        self::assertSame('EXPIRE sess_a 21600', end($wire->sent));
        self::assertNotContains(self::TAKE, $wire->sent);
    }

    public function testLockOfADeadProcessOfThisMachineIsFreed(): void
    {
        $owner = new Request('web1|5', 'GET shop/cart/?q=1');
        $script = [['OK'], [2], [1]];
        for ($try = 1; $try <= 19; ++$try) {
            $script[] = [2 + $try];
        }
        $wire = new FakeWire([...$script, ['web1|4194999'], [0], [1], [['x', '1']], [0], ['OK', 1]]);
        $this->store($wire, ['break_after_frontend' => '30'])->open('sess_a', $owner);
        self::assertContains('HSET sess_a lock 0', $wire->sent);
        self::assertCount(19, $this->slept, 'the lock is tried at once then');
    }

    public function testOwnersElsewhereAndNativeOnesAreNotChecked(): void
    {
        foreach (['web9|4194999', 'web1|' . getmypid() . '|367820', 'odd'] as $other) {
            $this->slept = [];
            $script = [['OK'], [2], [1]];
            for ($try = 1; $try <= 19; ++$try) {
                $script[] = [2 + $try];
            }
            $wire = new FakeWire([...$script, [$other], [1], [['x', '1']], [0], ['OK', 1]]);
            $this->store($wire, ['break_after_frontend' => '30'])->open('sess_a', self::request());
            self::assertNotContains('HSET sess_a lock 0', $wire->sent, $other);
        }
    }

    public function testTooManyWaitersAreRefusedAndCountedOut(): void
    {
        $wire = new FakeWire([['OK'], [8], [6], [14], [5], ['42']]);
        try {
            $this->store($wire, ['max_concurrency' => '6'])->open('sess_a', self::request());
            self::fail('the sixth is one too many');
        } catch (TooMany $failure) {
            self::assertStringContainsString('6 wait already', $failure->getMessage());
        }
        self::assertSame([self::LEAVE, 'HGET sess_a writes'], array_slice($wire->sent, -2));
    }

    public function testADeadWaiterIsCountedOut(): void
    {
        // Six are said to wait, but the lock has grown by one only.
        $wire = new FakeWire([['OK'], [8], [6], [9], [5], [10], [1], [['x', '1']], [0], ['OK', 1]]);
        $this->store($wire, ['max_concurrency' => '6'])->open('sess_a', self::request());
        $wire->assertDone();
        self::assertCount(2, array_keys($wire->sent, self::LEAVE, true), 'the dead one and this one');
    }

    public function testNegativeCountOfWaitersIsRepaired(): void
    {
        $wire = new FakeWire([['OK'], [2], [-1], [0], [1], [1], [['x', '1']], [0], ['OK', 1]]);
        $this->store($wire)->open('sess_a', self::request());
        self::assertCount(3, array_keys($wire->sent, self::JOIN, true));
    }

    public function testCommitChecksTheOwnerAndWritesAsOneBatch(): void
    {
        $wire = new FakeWire([['OK'], ['web1|5'], ['OK', 'OK', 8, 1]]);
        $store = $this->store($wire);
        $store->commit('sess_a', self::request(), new State(1, null), 'n|i:2;', 600);
        self::assertSame([
            'SELECT 2',
            self::OWNER,
            'SELECT 2 · HMSET sess_a data n|i:2; lock 0 · HINCRBY sess_a writes 1 · EXPIRE sess_a 600',
        ], $wire->sent);
        self::assertTrue($store->alwaysWrites());
    }

    public function testSessionWithoutAnOwnerIsWritten(): void
    {
        $wire = new FakeWire([['OK'], [null], ['OK', 'OK', 1, 1]]);
        $this->store($wire)->commit('sess_a', self::request(), new State(1, null), 'x', 600);
        $wire->assertDone();
    }

    public function testAnotherOwnerFences(): void
    {
        foreach (['web2|9', 'web1|50', 'web1|5|3678208000012345'] as $owner) {
            $wire = new FakeWire([['OK'], [$owner]]);
            try {
                $this->store($wire)->commit('sess_a', self::request(), new State(1, null), 'x', 600);
                self::fail($owner);
            } catch (Fenced $failure) {
                self::assertSame("FENCED taken by $owner", $failure->getMessage());
            }
        }
    }

    public function testErrorInAnyReplyIsNoSuccess(): void
    {
        $oom = new ErrorReply('OOM command not allowed');
        $wire = new FakeWire([['OK'], ['web1|5'], ['OK', $oom, $oom, 1]]);
        $this->expectException(Refused::class);
        $this->expectExceptionMessage('HMSET: OOM');
        $this->store($wire)->commit('sess_a', self::request(), new State(1, null), 'x', 600);
    }

    public function testReleaseFreesOnlyItsOwnLock(): void
    {
        $wire = new FakeWire([['OK'], ['web1|5'], [1], ['web2|9'], [null]]);
        $store = $this->store($wire);
        for ($time = 0; $time < 3; ++$time) {
            $store->release('sess_a', self::request(), new State(1, null));
        }
        self::assertSame(
            ['SELECT 2', self::OWNER, 'HDEL sess_a lock', self::OWNER, self::OWNER],
            $wire->sent
        );
    }

    public function testReleaseOverANewConnectionIsInTheRightDatabase(): void
    {
        $wire = new FakeWire([['OK'], ['web1|5'], new Unreachable('broke', true), ['OK'], ['web1|5'], [1]]);
        $store = $this->store($wire);
        try {
            $store->commit('sess_a', self::request(), new State(1, null), 'x', 600);
            self::fail('nobody knows whether it was written');
        } catch (Unreachable) {
            $store->release('sess_a', self::request(), new State(1, null));
        }
        self::assertSame(['SELECT 2', self::OWNER, 'HDEL sess_a lock'], array_slice($wire->sent, -3));
    }

    public function testWithoutLockingNobodyCountsAndNobodyChecks(): void
    {
        $wire = new FakeWire([['OK'], [['x', '3']], [1], ['OK'], ['OK', 'OK', 4, 1]]);
        $store = $this->store($wire, ['disable_locking' => '1']);
        $state = $store->open('sess_a', self::request());
        $store->commit('sess_a', self::request(), $state, 'y', 600);
        $store->release('sess_a', self::request(), $state);
        self::assertSame([
            'SELECT 2', self::LOAD, 'EXPIRE sess_a 21600', 'SELECT 2',
            'SELECT 2 · HMSET sess_a data y lock 0 · HINCRBY sess_a writes 1 · EXPIRE sess_a 600',
        ], $wire->sent);
    }

    public function testReadAndDestroyAndHolder(): void
    {
        $wire = new FakeWire([['OK'], [['x', '3']], [1], ['OK', 1], [['web2|9', 'GET /a']], [[null, null]]]);
        $store = $this->store($wire);
        $state = $store->read('sess_a');
        self::assertSame([false, 'x', 3, null], [$state->isLocked(), $state->data, $state->writes, $state->refusal]);
        $store->extend('sess_a', 60);
        $store->destroy('sess_a');
        self::assertSame('web2|9 GET /a', $store->holder('sess_a'));
        self::assertSame('nobody now', $store->holder('sess_a'));
        self::assertSame(
            ['SELECT 2', self::LOAD, 'EXPIRE sess_a 21600', 'SELECT 2 · UNLINK sess_a'],
            array_slice($wire->sent, 0, 4)
        );
    }

    public function testReadThatCannotProlongTheSessionSaysSoAfterwards(): void
    {
        foreach ([[new ErrorReply('NOREPLICAS Not enough good replicas to write.')], new Unreachable('x')] as $answer) {
            $store = $this->store(new FakeWire([['OK'], [['x', '3']], $answer]));
            $state = $store->read('sess_a');
            self::assertSame(['x', 3, 0], [$state->data, $state->writes, $state->ttlMs]);
            try {
                $store->extend('sess_a', 60);
                self::fail('it was not prolonged');
            } catch (SessionError $failure) {
                self::assertNotSame('', $failure->getMessage());
            }
        }
    }

    /** @param array<string, mixed> $options */
    private function store(FakeWire $wire, array $options = []): PlainStore
    {
        return new PlainStore($wire, new Settings($options + ['database' => '2']), function (int $microseconds): void {
            $this->slept[] = $microseconds;
        });
    }

    private static function request(): Request
    {
        return new Request('web1|5', 'GET shop/cart/?q=1');
    }
}
