<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Live;

use Cloakroom\Session\Codec;
use Cloakroom\Session\Error\Fenced;
use Cloakroom\Session\Lifetime;
use Cloakroom\Session\PlainStore;
use Cloakroom\Session\Request;
use Cloakroom\Session\Settings;
use Cloakroom\Session\State;
use Cloakroom\Session\Tests\Support\RecordingWire;
use Cloakroom\Session\Tests\Support\Server;
use Cloakroom\Session\Tests\Support\Transcript;
use PHPUnit\Framework\TestCase;

/**
 * The plain store says to a redis-server what the unmodified library said to one, command by command, pipelined in the
 * same places, and gets the same replies.
 */
final class PlainTranscriptTest extends TestCase
{
    private const PERSON = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0';
    private const WEB = 'GET shop.example/checkout/cart/';
    private const CLI = '/var/www/shop/bin/session_child.php';

    private Server $server;

    /** @var \ArrayObject<int, array{c: int, p: int, q: list<string>, r: mixed}> */
    private \ArrayObject $tape;

    protected function setUp(): void
    {
        $this->server = Server::redis();
        $this->tape = new \ArrayObject();
    }

    protected function tearDown(): void
    {
        $this->server->stop();
    }

    public function testLifecycle(): void
    {
        $recorded = self::withoutFirstConnection(Transcript::load('session-lifecycle'));
        $visits = [];
        foreach ($recorded as $request) {
            $visits[$request['c']][] = $request['q'];
        }
        $observers = [];
        $done = [];
        foreach ($recorded as ['c' => $connection, 'q' => $command]) {
            $isObserver = array_intersect(['TTL', 'HGETALL', 'EXISTS'], array_column($visits[$connection], 0)) !== [];
            if ($isObserver) {
                $observers[$connection] ??= $this->record($connection);
                $observers[$connection]->batch([$command], 5);
            } elseif (!isset($done[$connection])) {
                $this->visit($connection, $visits[$connection]);
                $done[$connection] = true;
            }
        }
        $this->compare($recorded);
    }

    public function testContention(): void
    {
        $this->visitSimply(2, 'web1|5042', self::WEB, 'n|i:0;', self::PERSON);

        $key = 'sess_156d906d0753f2d0f40b013a44';
        $child = new Request('web1|5046', self::CLI);
        $holder = $this->store(3);
        $held = $holder->open($key, $child);
        $polls = 0;
        $waiter = $this->store(4, function () use (&$polls, $holder, $key, $child, $held): void {
            if (++$polls === 2) {
                $holder->commit($key, $child, $held, 'n|i:1;', self::ttl($held, ''));
            }
        }, ['break_after_frontend' => '30']);
        $web = new Request('web1|5042', self::WEB);
        $waited = $waiter->open($key, $web);
        self::assertSame(2, $polls);
        $waiter->commit($key, $web, $waited, 'n|i:1;;second', self::ttl($waited, self::PERSON));

        $dead = new Request('web1|5049', self::CLI);
        $abandoned = $this->store(5);
        $lost = $abandoned->open($key, $dead);
        $breaker = $this->store(6);
        $broken = $breaker->open($key, $web);
        self::assertSame('web1|5049 ' . self::CLI, $broken->broke);
        $breaker->commit($key, $web, $broken, 'n|i:1;;second;broke', self::ttl($broken, self::PERSON));
        try {
            $abandoned->commit($key, $dead, $lost, 'late', self::ttl($lost, ''));
            self::fail('the lock was broken');
        } catch (Fenced) {
            $this->visitSimply(7, 'web1|5042', self::WEB, 'n|i:1;;second;broke', self::PERSON);
        }
        $this->compare(self::withoutFirstConnection(Transcript::load('session-lock-contention')));
    }

    private function visitSimply(int $connection, string $owner, string $line, string $data, string $agent): void
    {
        $store = $this->store($connection);
        $request = new Request($owner, $line);
        $state = $store->open('sess_156d906d0753f2d0f40b013a44', $request);
        $store->commit('sess_156d906d0753f2d0f40b013a44', $request, $state, $data, self::ttl($state, $agent));
    }

    /**
     * What the commands of a connection show that the library was called for.
     *
     * @param array<mixed> $commands
     */
    private function visit(int $connection, array $commands): void
    {
        $names = array_column($commands, 0);
        $key = $commands[1][1];
        $isLocking = in_array('HINCRBY', $names, true) && $commands[1][2] === 'lock';
        $writes = array_values(array_filter($commands, static fn (array $q): bool => ($q[2] ?? '') === 'data'
            && $q[0] === 'HMSET'));
        $request = new Request('web1|5013', self::WEB);
        $options = ['disable_locking' => $isLocking ? '0' : '1'];
        $store = $this->store($connection, null, $options);
        $state = $writes === [] && !$isLocking ? $store->read($key) : $store->open($key, $request);
        if ($writes !== []) {
            $codec = self::codec();
            $bytes = $codec->encode($codec->decode($writes[0][3]));
            $store->commit($key, $request, $state, $bytes, self::ttl($state, self::PERSON));
        }
        if (in_array('UNLINK', $names, true)) {
            $store->destroy($key);
        }
    }

    /** @param array<string, string> $options */
    private function store(int $connection, ?\Closure $sleep = null, array $options = []): PlainStore
    {
        $settings = new Settings($options + ['database' => '2', 'break_after_frontend' => '1', 'mode' => 'plain']);
        return new PlainStore($this->record($connection), $settings, $sleep ?? static fn (int $microseconds) => null);
    }

    private function record(int $connection): RecordingWire
    {
        return new RecordingWire($this->server->wire(), $this->tape, $connection);
    }

    private static function ttl(State $state, string $agent): int
    {
        return Lifetime::seconds(new Settings(['lifetime' => '7200']), $state->writes, $agent);
    }

    private static function codec(): Codec
    {
        return new Codec('gzip', 2048, static fn (string $message) => null);
    }

    /**
     * @param list<array<string, mixed>> $recorded
     * @return list<array<string, mixed>>
     */
    private static function withoutFirstConnection(array $recorded): array
    {
        return array_values(array_filter($recorded, static fn (array $request): bool => $request['c'] !== 1));
    }

    /** @param list<array<string, mixed>> $recorded */
    private function compare(array $recorded): void
    {
        self::assertCount(count($recorded), $this->tape);
        foreach ($recorded as $at => $request) {
            ['c' => $connection, 'p' => $place, 'q' => $command, 'r' => $reply] = $this->tape[$at];
            $where = "request $at: " . implode(' ', array_map(static fn (string $word): string
                => substr($word, 0, 60), $request['q']));
            self::assertSame($request['c'], $connection, $where);
            self::assertSame(self::readable($request['q']), self::readable($command), $where);
            self::assertSame($request['p'], $place, "$where: place in the pipeline");
            if ($request['nd'] === 'ttl') {
                self::assertEqualsWithDelta($request['r'], $reply, 2, $where);
            } elseif ($request['nd'] === 'pairs') {
                self::assertEqualsCanonicalizing(array_chunk($request['r'], 2), array_chunk($reply, 2), $where);
            } else {
                self::assertSame(self::readable((array) $request['r']), self::readable((array) $reply), $where);
            }
        }
    }

    /**
     * Another zlib may compress to other bytes, which say the same.
     *
     * @param array<mixed> $words
     * @return array<mixed>
     */
    private static function readable(array $words): array
    {
        $codec = self::codec();
        return array_map(static fn (mixed $word): mixed => is_string($word) ? $codec->decode($word) : $word, $words);
    }
}
