<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Live;

use Cloakroom\Session\Error\SessionError;
use Cloakroom\Session\Handler;
use Cloakroom\Session\NativeStore;
use Cloakroom\Session\Request;
use Cloakroom\Session\Settings;
use Cloakroom\Session\State;
use Cloakroom\Session\StoreFactory;
use Cloakroom\Session\Tests\Support\Log;
use Cloakroom\Session\Tests\Support\Process;
use Cloakroom\Session\Tests\Support\Server;
use Cloakroom\Session\Tests\Support\Web;

final class NativeTest extends WebTest
{
    protected function startServer(): Server
    {
        return Server::cloakroom();
    }

    protected function options(): array
    {
        return ['mode' => 'auto'];
    }

    protected function waitForLock(): void
    {
        $this->eventually(fn (): bool => in_array($this->state(), ['held', 'published'], true));
    }

    public function testSixParallelRequestsAreTwelveCommands(): void
    {
        $this->web()->getAll(array_fill(0, 6, '/count?ms=50'), self::ID);
        self::assertSame(6, $this->server->calls('session.open'));
        self::assertSame(6, $this->server->calls('session.commit'));
        self::assertSame(12, $this->server->calls('session.') - 1, 'but for the probe of the test');
        self::assertSame(0, $this->server->calls('h'), 'and none of a plain client');
        self::assertSame('6', $this->server->hash(self::KEY)['writes']);
    }

    public function testUnchangedSessionIsNotSentBack(): void
    {
        $handler = $this->handler();
        $handler->read(self::ID);
        $handler->write(self::ID, 'n|i:1;');
        $handler->close();
        $before = $this->server->hash(self::KEY);
        self::assertSame('n|i:1;', $handler->read(self::ID));
        $handler->write(self::ID, 'n|i:1;');
        $handler->close();
        self::assertSame(1, $this->info('session_commits_unchanged'));
        self::assertSame($before['data'], $this->server->hash(self::KEY)['data']);
        self::assertSame('2', $this->server->hash(self::KEY)['writes']);
    }

    public function testProcessThatIsKilledLeavesNoLock(): void
    {
        $holder = $this->holder(60);
        $holder->signal(SIGKILL);
        self::assertSame(1, $this->visit()['count']);
        $holder->stop();
    }

    public function testBrokenLockIsAnnouncedToBothSides(): void
    {
        $this->web = new Web(['lease_frontend' => '0.2'] + $this->connection());
        $slow = $this->web->begin('/count?ms=1200', self::ID);
        $this->waitForLock();
        $fast = $this->visit();
        self::assertSame(1, $fast['count']);
        self::assertSame(200, $this->web()->finish($slow)['status'], 'the page is there all the same');
        $log = $this->web->log();
        self::assertMatchesRegularExpression('/notice: .* took over the lock of .*\|\d+ \d+ms GET 127/', $log);
        self::assertMatchesRegularExpression('/critical: .*FENCED broken by .*; its changes are lost/', $log);
        $this->assertFree('1');
    }

    public function testFencedChangesAreMerged(): void
    {
        $options = ['on_fenced' => 'merge', 'lease_frontend' => '0.1'];
        [$mine, $theirs] = [$this->handler($options), $this->handler($options)];
        $mine->read(self::ID);
        $mine->write(self::ID, 'cart|i:1;name|s:1:"a";');
        $mine->close();
        $mine->read(self::ID);
        $theirs->read(self::ID);
        $theirs->write(self::ID, 'cart|i:2;name|s:1:"a";');
        $theirs->close();
        self::assertTrue($mine->write(self::ID, 'cart|i:1;name|s:1:"b";'));
        $mine->close();
        self::assertSame('cart|i:2;name|s:1:"b";', $this->server->hash(self::KEY)['data']);
    }

    public function testPageThatCannotGetTheLockReads(): void
    {
        $this->visit();
        $holder = $this->web()->begin('/count?ms=1500', self::ID);
        $this->waitForLock();
        $log = new \Cloakroom\Session\Tests\Support\Log();
        $handler = $this->handler(['wait' => '0.1'], $log);
        self::assertSame('count|i:1;', $handler->read(self::ID));
        self::assertTrue($handler->write(self::ID, 'count|i:9;'));
        $handler->close();
        self::assertStringContainsString('critical: ', $log->text());
        self::assertStringContainsString('LOCKED ', $log->text());
        $this->web()->finish($holder);
        self::assertSame(3, $this->visit()['count']);
    }

    public function testLogoutIsNotUndoneByASlowPage(): void
    {
        $this->visit();
        $slow = $this->web()->begin('/count?ms=800', self::ID);
        $this->waitForLock();
        $this->handler()->destroy(self::ID);
        $this->web()->finish($slow);
        self::assertSame(0, $this->server->ask(['EXISTS', self::KEY], 2));
        self::assertStringContainsString('FENCED deleted', $this->web()->log());
    }

    public function testCommitSurvivesARestartOfTheServer(): void
    {
        $this->server->stop();
        $this->server = Server::cloakroom(['appendonly yes', 'appendfsync always']);
        $this->visit();
        $page = $this->web()->begin('/count?ms=1200', self::ID);
        $this->waitForLock();
        $this->server->kill();
        $this->server->launch();
        self::assertSame(200, $this->web()->finish($page)['status'], $this->web()->log());
        self::assertSame('2', $this->server->hash(self::KEY)['writes']);
        self::assertStringContainsString('count|i:2;', $this->server->hash(self::KEY)['data']);
        self::assertSame(1, $this->info('session_commits_late'));
    }

    public function testWaiterSurvivesARestartOfTheServer(): void
    {
        $holder = $this->web()->begin('/count?ms=1500', self::ID);
        $this->waitForLock();
        $waiter = $this->web()->begin('/count', self::ID);
        $this->eventually(fn (): bool => $this->info('session_waiters') === 1);
        $this->server->kill();
        $this->server->launch();
        // Without a log the server is empty: whoever comes first begins anew, the other is refused or waits.
        self::assertSame(200, $this->web()->finish($waiter)['status']);
        self::assertSame(200, $this->web()->finish($holder)['status']);
        $told = substr_count($this->web()->log(), 'FENCED');
        self::assertSame(3 - $told, $this->visit()['count'], $this->web()->log());
    }

    public function testSwitchingBetweenPlainAndNativeKeepsTheSession(): void
    {
        for ($time = 0; $time < 2; ++$time) {
            foreach (['plain', 'native'] as $mode) {
                $handler = $this->handler(['mode' => $mode]);
                $data = $handler->read(self::ID);
                $handler->write(self::ID, $data . "$mode$time|i:1;");
                $handler->close();
            }
        }
        $hash = $this->server->hash(self::KEY);
        self::assertSame('plain0|i:1;native0|i:1;plain1|i:1;native1|i:1;', $hash['data']);
        self::assertSame(['4', '0'], [$hash['writes'], $hash['lock']]);
    }

    public function testReadOnlyVisitProlongsASessionThatIsHalfOver(): void
    {
        $this->visit();
        $this->visit();
        $this->visit();
        foreach ([[1000, 1440], [600, 1440]] as [$left, $least]) {
            $this->server->ask(['EXPIRE', self::KEY, (string) $left], 2);
            $this->web()->get('/readonly', self::ID);
            $now = $this->server->ask(['TTL', self::KEY], 2);
            self::assertLessThanOrEqual($left === 1000 ? 1000 : $least, $now);
            self::assertGreaterThan($left === 1000 ? 990 : $least - 10, $now);
        }
    }

    /** @return iterable<string, array{string, string}> transport, mode */
    public static function readers(): iterable
    {
        foreach (['socket', 'phpredis'] as $transport) {
            foreach (['native', 'plain'] as $mode) {
                yield "$transport, $mode" => [$transport, $mode];
            }
        }
    }

    /** @dataProvider readers */
    public function testReadOnlyVisitOutlivesAServerThatRefusesWrites(string $transport, string $mode): void
    {
        $this->leave($this->handler(), 'n|i:1;');
        $this->server->ask(['EXPIRE', self::KEY, '5'], 2);
        $this->server->ask(['CONFIG', 'SET', 'min-replicas-to-write', '1']);
        $log = new Log();
        $handler = $this->handler(['transport' => $transport, 'mode' => $mode], $log);
        $handler->setReadOnly(true);
        self::assertSame('n|i:1;', $handler->read(self::ID));
        $handler->close();
        self::assertCount(1, $log->lines, $log->text());
        self::assertStringContainsString('its life was not prolonged', $log->text());
        self::assertStringContainsString('NOREPLICAS', $log->text());
    }

    /** @return iterable<string, array{string}> */
    public static function transports(): iterable
    {
        yield 'socket' => ['socket'];
        yield 'phpredis' => ['phpredis'];
    }

    /** @dataProvider transports */
    public function testWhateverKeepsASessionFromBeingOpenedIsCritical(string $transport): void
    {
        $this->server->ask(['SET', self::KEY, 'x'], 2);
        $this->assertRefused(['transport' => $transport], 'WRONGTYPE');
        $this->server->ask(['DEL', self::KEY], 2);
        $this->assertRefused(['transport' => $transport, 'database' => '99'], 'DB index is out of range');
        $this->assertRefused(['transport' => $transport, 'password' => 'wrong'], 'refused the password');
        foreach ([':gz:x', ...(function_exists('snappy_uncompress') ? [] : [':sn:x'])] as $data) {
            $this->server->ask(['HSET', self::KEY, 'data', $data], 2);
            $this->assertRefused(['transport' => $transport], $data === ':gz:x' ? 'is damaged' : 'snappy_uncompress');
        }
        $this->server->ask(['DEL', self::KEY], 2);
        $this->server->ask(['CONFIG', 'SET', 'min-replicas-to-write', '1']);
        $this->assertRefused(['transport' => $transport], 'NOREPLICAS');
        $this->server->ask(['REPLICAOF', '127.0.0.1', '1']);
        $this->assertRefused(['transport' => $transport, 'timeout' => '0.2'], 'READONLY');
        $log = new Log();
        try {
            $this->handler(['transport' => $transport, 'timeout' => '0.2'], $log)->destroy(self::ID);
            self::fail('nobody is logged out');
        } catch (SessionError) {
            self::assertMatchesRegularExpression('/^critical: .* was not destroyed: .*READONLY/', $log->text());
        }
    }

    /** @param array<string, string> $options */
    private function assertRefused(array $options, string $why): void
    {
        $log = new Log();
        $handler = $this->handler($options, $log);
        try {
            $handler->read(self::ID);
            self::fail("$why is no empty session");
        } catch (SessionError) {
            self::assertCount(1, $log->lines, $log->text());
            self::assertStringStartsWith('critical: ', $log->text());
            self::assertStringContainsString(': session a156d906… was not opened: ', $log->text());
            self::assertStringContainsString($why, $log->text());
        } finally {
            $handler->close();
        }
    }

    /** @dataProvider transports */
    public function testSessionThatExpiresDuringAVisitThatChangesNothingIsKept(string $transport): void
    {
        $log = new Log();
        $handler = $this->handler(['transport' => $transport], $log);
        $this->leave($handler, 'n|i:1;');
        // The server's clock is real.
        foreach (['before', 'after'] as $case) {
            if ($case === 'before') {
                $this->server->ask(['PEXPIRE', self::KEY, '500'], 2);
            }
            self::assertSame('n|i:1;', $handler->read(self::ID), $case);
            if ($case === 'after') {
                $this->server->ask(['PEXPIRE', self::KEY, '50'], 2);
            }
            $this->eventually(fn (): bool => $this->server->ask(['EXISTS', self::KEY], 2) === 0);
            self::assertTrue($handler->write(self::ID, 'n|i:1;'));
            $handler->close();
            self::assertSame('n|i:1;', $this->server->hash(self::KEY)['data'] ?? null, $case);
            self::assertGreaterThan(100, $this->server->ask(['TTL', self::KEY], 2));
        }
        self::assertSame('', $log->text());
    }

    public function testSessionThatExpiredAndThatAWaiterHasNowIsTold(): void
    {
        $log = new Log();
        $handler = $this->handler([], $log);
        $this->leave($handler, 'n|i:1;');
        self::assertSame('n|i:1;', $handler->read(self::ID));
        $waiter = Process::php('hold.php', [self::ID, '60'], [
            'CLOAKROOM_OPTIONS' => (string) json_encode($this->connection()),
        ]);
        try {
            $this->eventually(fn (): bool => $this->info('session_waiters') === 1);
            $this->server->ask(['PEXPIRE', self::KEY, '1'], 2);
            $this->eventually(fn (): bool => $this->server->ask(['EXISTS', self::KEY], 2) === 0);
            self::assertTrue($handler->write(self::ID, 'n|i:1;'));
            self::assertMatchesRegularExpression(
                '/^critical: .*FENCED .*had expired.*all that it had is lost\. Now: \S+\|\d+ /',
                $log->text()
            );
        } finally {
            $waiter->stop();
        }
    }

    public function testNativeAndPlainRequestsShareASession(): void
    {
        $plain = new Web(['mode' => 'plain'] + $this->connection());
        try {
            $streams = [];
            for ($i = 0; $i < 5; ++$i) {
                $streams[] = [$this->web(), $this->web()->begin('/count?ms=20', self::ID)];
                $streams[] = [$plain, $plain->begin('/count?ms=20', self::ID)];
            }
            foreach ($streams as [$web, $stream]) {
                self::assertSame(200, $web->finish($stream)['status']);
            }
            $this->assertNothingIsLostInSilence(10, $plain);
        } finally {
            $plain->stop();
        }
    }

    /** @return iterable<string, array{bool}> */
    public static function orders(): iterable
    {
        yield 'plain waits for native' => [false];
        yield 'native waits for plain' => [true];
    }

    /** @dataProvider orders */
    public function testNativeAndPlainRequestsWaitForEachOther(bool $plainFirst): void
    {
        $plain = new Web(['mode' => 'plain'] + $this->connection());
        try {
            [$first, $second] = $plainFirst ? [$plain, $this->web()] : [$this->web(), $plain];
            $holder = $first->begin('/count?ms=700', self::ID);
            $plainFirst
                ? $this->eventually(fn (): bool => $this->server->ask(['HGET', self::KEY, 'lock'], 2) === '1')
                : $this->waitForLock();
            $waited = json_decode($second->get('/count', self::ID)['body'], true)['waited'];
            self::assertGreaterThan(100, $waited);
            $first->finish($holder);
            $this->assertNothingIsLostInSilence(2, $plain);
            self::assertSame(3 + 1, $this->visit()['count'], 'of two alone none is lost');
        } finally {
            $plain->stop();
        }
    }

    /**
     * A plain client gives the lock back first and counts "writes" up then, which fences a native one that came in
     * between. It writes again unless a third one has changed the session meanwhile; then it tells what is lost.
     */
    private function assertNothingIsLostInSilence(int $writes, Web $plain): void
    {
        self::assertSame('', $plain->log());
        $told = preg_match_all('/^critical: .*FENCED changed.*; its changes are lost/m', $this->web()->log());
        self::assertSame($writes, $this->visit()['count'] - 1 + $told, $this->web()->log());
        $this->assertFree((string) ($writes - $told + 1));
    }

    public function testVersionFollowsTheServersWords(): void
    {
        $store = StoreFactory::create(new Settings(['mode' => 'native'] + $this->connection()));
        self::assertInstanceOf(NativeStore::class, $store);
        $request = new Request('web1|5042', 'GET shop/cart/?q=1');
        $new = $store->open(self::KEY, $request);
        self::assertSame([null, 0, State::ABSENT, -2], [$new->data, $new->writes, $new->version, $new->ttlMs]);
        self::assertSame('web1|5042 GET shop/cart/', $store->holder(self::KEY));
        $store->commit(self::KEY, $request, $new, 'x', 60);
        $read = $store->read(self::KEY);
        self::assertSame(["1-{$new->fence}", 'x', 1, 0], [$read->version, $read->data, $read->writes, $read->fence]);
        self::assertGreaterThan(59000, $read->ttlMs);
        $store->release(self::KEY, $request, $new);
        self::assertSame("web1|5042|{$new->fence}", $this->server->hash(self::KEY)['pid']);
    }

    private function holder(int $seconds): Process
    {
        $holder = Process::php('hold.php', [self::ID, (string) $seconds], [
            'CLOAKROOM_OPTIONS' => (string) json_encode($this->connection()),
        ]);
        self::assertSame('locked', $holder->line());
        return $holder;
    }

    /** Writes the session. */
    private function leave(Handler $handler, string $data): void
    {
        $handler->read(self::ID);
        $handler->write(self::ID, $data);
        $handler->close();
    }

    /** @param array<string, string> $options */
    private function handler(array $options = [], ?Log $log = null): Handler
    {
        $log ??= new Log();
        return Handler::create($options + $this->connection(), $log->writer());
    }

    private function state(): string
    {
        $info = (array) $this->server->ask(['SESSION.INFO', self::KEY], 2);
        return (string) $info[(int) array_search('state', $info, true) + 1];
    }

    private function info(string $field): int
    {
        $text = (string) $this->server->ask(['INFO', 'sessions']);
        return preg_match("/^$field:(\d+)/m", $text, $found) === 1 ? (int) $found[1] : -1;
    }
}
