<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Live;

use Cloakroom\Session\Tests\Support\Server;
use Cloakroom\Session\Tests\Support\Web;
use PHPUnit\Framework\TestCase;

/** PHP's own sessions over the handler, in real requests: with each store, and whatever way a request ends. */
abstract class WebTest extends TestCase
{
    protected const ID = 'a156d906d0753f2d0f40b013a44';
    protected const KEY = 'sess_' . self::ID;

    /** A lock that is left behind would hold up the next visit at least as long. */
    protected const BREAK_S = '20';
    private const PROMPT_S = 10;

    protected Server $server;
    protected ?Web $web = null;

    abstract protected function startServer(): Server;

    /** @return array<string, string> */
    abstract protected function options(): array;

    protected function setUp(): void
    {
        $this->server = $this->startServer();
    }

    protected function tearDown(): void
    {
        $this->web?->stop();
        if (isset($this->server)) {
            $this->server->stop();
        }
    }

    public function testSixParallelRequestsLoseNoWrite(): void
    {
        $this->web()->getAll(array_fill(0, 6, '/count?ms=50'), self::ID);
        self::assertSame(7, $this->visit()['count']);
        self::assertSame('', $this->web()->log());
        $this->assertFree('7');
    }

    /** @return iterable<string, array{string, string, int}> action, registration, count afterwards */
    public static function endings(): iterable
    {
        foreach (['object', 'alone', 'callables'] as $register) {
            yield "exception, $register" => ['exception', $register, 2];
            yield "fatal error, $register" => ['fatal', $register, 2];
            yield "exit, $register" => ['exit', $register, 2];
            yield "exit at shutdown, $register" => ['exit-at-shutdown', $register, 2];
            yield "error at shutdown, $register" => ['fatal-at-shutdown', $register, 2];
            yield "left open, $register" => ['leave', $register, 2];
            yield "aborted session, $register" => ['discard', $register, 1];
        }
    }

    /**
     * PHP writes the session at the end of every request, after an error too. What counts is that nobody waits.
     *
     * @dataProvider endings
     */
    public function testWhateverEndsARequestLeavesNoLock(string $action, string $register, int $count): void
    {
        $this->web()->get("/$action?register=$register", self::ID);
        self::assertSame($count, $this->visit()['count'], $this->web()->output());
    }

    public function testChangesOfLateShutdownFunctionsAreWritten(): void
    {
        $this->web()->get('/late?register=alone', self::ID);
        self::assertStringContainsString('late|b:1;', $this->server->hash(self::KEY)['data']);
    }

    public function testClientThatHangsUpLeavesNoLock(): void
    {
        $stream = $this->web()->begin('/abort', self::ID);
        self::assertNotSame('', fread($stream, 100));
        fclose($stream);
        self::assertSame(2, $this->visit()['count']);
    }

    public function testRegeneratedIdTakesTheDataAlong(): void
    {
        foreach ([['0', 1], ['1', 0]] as [$delete, $left]) {
            $this->server->ask(['FLUSHALL']);
            $new = json_decode($this->web()->get("/regenerate?delete=$delete", self::ID)['body'], true);
            self::assertNotSame(self::ID, $new['id']);
            self::assertSame(11, $new['count']);
            self::assertStringContainsString('count|i:11;', $this->server->hash("sess_{$new['id']}")['data']);
            self::assertSame($left, $this->server->ask(['EXISTS', self::KEY], 2));
            self::assertSame(12, $this->visit($new['id'])['count']);
        }
    }

    public function testDestroyedSessionIsGone(): void
    {
        $this->visit();
        $this->web()->get('/destroy', self::ID);
        self::assertSame(0, $this->server->ask(['EXISTS', self::KEY], 2));
        self::assertSame(1, $this->visit()['count']);
    }

    public function testReadOnlyPageDoesNotWaitAndDoesNotWrite(): void
    {
        $this->visit();
        $holder = $this->web()->begin('/count?ms=1500', self::ID);
        $this->waitForLock();
        $read = json_decode($this->web()->get('/readonly', self::ID)['body'], true);
        self::assertLessThan(1000, $read['waited']);
        self::assertSame(2, $read['count'], 'what was written last, and its own change');
        $this->web()->finish($holder);
        self::assertStringContainsString('count|i:2;', $this->server->hash(self::KEY)['data']);
        self::assertStringContainsString('are lost: it was opened to be read only', $this->web()->log());
    }

    public function testLockAfterReading(): void
    {
        $this->visit();
        $page = json_decode($this->web()->get('/upgrade', self::ID)['body'], true);
        self::assertSame([101, false], [$page['count'], $page['changed']]);
        self::assertSame(102, $this->visit()['count']);
    }

    public function testStrictModeTakesNoIdFromOutside(): void
    {
        $page = json_decode($this->web()->get('/count?strict=1', self::ID)['body'], true);
        self::assertNotSame(self::ID, $page['id']);
        self::assertSame(1, $page['count']);
        $known = json_decode($this->web()->get('/count?strict=1', $page['id'])['body'], true);
        self::assertSame([$page['id'], 2], [$known['id'], $known['count']]);
        self::assertSame(1, $this->visit()['count'], 'the refused id is not locked');
    }

    public function testTooManyWaitersGet503(): void
    {
        $this->web = new Web(['max_concurrency' => '1'] + $this->connection());
        $holder = $this->web->begin('/count?ms=1500', self::ID);
        $this->waitForLock();
        $others = $this->web->getAll(['/count', '/count', '/count', '/count'], self::ID);
        $refused = array_values(array_filter($others, static fn (array $answer): bool => $answer['status'] === 503));
        self::assertGreaterThanOrEqual(1, count($refused));
        self::assertStringContainsString('Retry-After: 1', $refused[0]['headers']);
        self::assertStringContainsString('answered 503', $this->web->log());
        $this->web()->finish($holder);
        self::assertSame(6 - count($refused), $this->visit()['count'], 'who was refused changed nothing');
    }

    public function testRefusedWriteIsLoudAndLeavesNoLock(): void
    {
        $this->visit();
        $page = $this->web()->begin('/count?ms=1000', self::ID);
        $this->waitForLock();
        $this->server->ask(['CONFIG', 'SET', 'maxmemory', '1']);
        self::assertSame(500, $this->web()->finish($page)['status']);
        self::assertStringContainsString('critical: ', $this->web()->log());
        self::assertStringContainsString('OOM', $this->web()->log());
        $this->server->ask(['CONFIG', 'SET', 'maxmemory', '0']);
        self::assertSame(2, $this->visit()['count']);
    }

    public function testUnreachableServerIsAnErrorAndNoEmptySession(): void
    {
        $this->visit();
        $this->server->kill();
        $page = $this->web()->get('/count', self::ID);
        self::assertSame(500, $page['status']);
        self::assertMatchesRegularExpression('/^critical: .*No connection to/m', $this->web()->log());
    }

    public function testKeptConnectionsServeManyRequests(): void
    {
        foreach (['socket', 'phpredis'] as $transport) {
            $this->web?->stop();
            $this->web = new Web(['persistent_identifier' => 'kept', 'transport' => $transport] + $this->connection());
            $this->server->ask(['FLUSHALL']);
            foreach (['/exit', '/count', '/fatal', '/leave?register=alone', '/discard'] as $path) {
                $this->web->get($path, self::ID);
            }
            for ($i = 0; $i < 3; ++$i) {
                $this->web->getAll(array_fill(0, 6, '/count'), self::ID);
            }
            self::assertSame(4 + 18 + 1, $this->visit()['count'], $transport . $this->web->log());
        }
    }

    /** @return array{count: int, waited: float, id: string} */
    protected function visit(string $id = self::ID): array
    {
        $start = microtime(true);
        $answer = $this->web()->get('/count', $id);
        self::assertSame(200, $answer['status'], $this->web()->log() . $this->web()->output());
        self::assertLessThan(self::PROMPT_S, microtime(true) - $start, 'somebody left a lock');
        return json_decode($answer['body'], true);
    }

    protected function web(): Web
    {
        return $this->web ??= new Web($this->connection());
    }

    /** @return array<string, string> */
    protected function connection(): array
    {
        return $this->options() + [
            'port' => (string) $this->server->port, 'database' => '2', 'break_after_frontend' => self::BREAK_S,
            'lease_frontend' => self::BREAK_S,
        ];
    }

    /** Waits until somebody holds the session's lock. */
    abstract protected function waitForLock(): void;

    protected function assertFree(string $writes): void
    {
        $hash = $this->server->hash(self::KEY);
        self::assertSame($writes, $hash['writes']);
        self::assertContains($hash['lock'] ?? '0', ['0']);
        self::assertContains($hash['wait'] ?? '0', ['0']);
    }

    /** @param \Closure(): bool $isSo */
    protected function eventually(\Closure $isSo): void
    {
        for ($until = microtime(true) + 10; microtime(true) < $until; usleep(2_000)) {
            if ($isSo()) {
                return;
            }
        }
        self::fail('it did not come to be');
    }
}
