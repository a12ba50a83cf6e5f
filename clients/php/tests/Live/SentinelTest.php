<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Live;

use Cloakroom\Session\Error\Unreachable;
use Cloakroom\Session\Request;
use Cloakroom\Session\Settings;
use Cloakroom\Session\StoreFactory;
use Cloakroom\Session\Tests\Support\Peer;
use Cloakroom\Session\Tests\Support\Server;
use PHPUnit\Framework\TestCase;

/** Real Sentinels over redis-servers, and Sentinels that a test plays. */
final class SentinelTest extends TestCase
{
    /** @var list<Server> */
    private array $servers = [];

    /** @var list<Peer> */
    private array $peers = [];

    protected function tearDown(): void
    {
        foreach ([...$this->servers, ...$this->peers] as $one) {
            $one->stop();
        }
    }

    public function testSentinelNamesThePrimaryBeforeAndAfterAFailover(): void
    {
        $primary = $this->start(Server::redis(['requirepass secret', 'masterauth secret']));
        $replica = $this->start(Server::redis([
            'requirepass secret', 'masterauth secret', "replicaof 127.0.0.1 {$primary->port}",
            'repl-diskless-sync-delay 0',
        ]));
        $watch = [
            "sentinel monitor shop 127.0.0.1 {$primary->port} 1", 'sentinel auth-pass shop secret',
            'sentinel down-after-milliseconds shop 300', 'sentinel failover-timeout shop 2000',
        ];
        $sentinel = $this->start(Server::sentinel($watch));
        $settings = [
            // The first Sentinel does not exist.
            'sentinel_servers' => "127.0.0.1:1,127.0.0.1:{$sentinel->port}", 'sentinel_master' => 'shop',
            'password' => 'secret', 'mode' => 'plain', 'transport' => 'socket', 'sentinel_connect_retries' => '100',
        ];
        $this->visit($settings, 'before');
        self::assertSame('before', $this->dataOn($primary));

        $this->eventually(fn (): bool => str_contains(
            (string) $replica->wire('secret')->batch([['INFO', 'replication']], 5)[0],
            'master_link_status:up'
        ));
        $this->eventually(fn (): bool => str_contains(
            (string) $sentinel->wire()->batch([['INFO', 'sentinel']], 5)[0],
            'slaves=1'
        ));
        $primary->kill();
        // The Sentinel names the dead one until it notices. The wire asks until one says that it is the primary.
        $this->visit($settings, 'after');
        self::assertSame('after', $this->dataOn($replica));
    }

    public function testAReplicaThatSentinelStillNamesIsNotUsed(): void
    {
        $role = "*5\r\n\$5\r\nslave\r\n\$1\r\nh\r\n:1\r\n\$9\r\nconnected\r\n:0\r\n";
        $replica = $this->play([[['read' => 2, 'send' => "$role+OK\r\n"]], [['read' => 2, 'send' => "$role+OK\r\n"]]]);
        $port = (string) $replica->address->port;
        $answer = "*2\r\n\$9\r\n127.0.0.1\r\n\$" . strlen($port) . "\r\n$port\r\n";
        $sentinel = $this->play([[['read' => 1, 'send' => $answer]], [['read' => 1, 'send' => $answer]]]);
        try {
            $this->visit([
                'sentinel_servers' => "127.0.0.1:{$sentinel->address->port}", 'sentinel_master' => 'shop',
                'sentinel_connect_retries' => '1', 'mode' => 'plain', 'transport' => 'socket',
            ], 'x');
            self::fail('a replica refuses writes, and reads old data');
        } catch (Unreachable $failure) {
            self::assertStringContainsString('is not the primary', $failure->getMessage());
        }
        $question = 'SENTINEL get-master-addr-by-name shop';
        self::assertSame([[$question], [$question]], $sentinel->commands(), 'asked once more');
    }

    public function testASentinelWithoutAPasswordAnswersAllTheSame(): void
    {
        $refusal = "-ERR AUTH <password> called without any password configured for the default user.\r\n";
        $nobody = "*-1\r\n";
        $sentinel = $this->play([[['read' => 2, 'send' => $refusal . $nobody]]]);
        try {
            $this->visit([
                'sentinel_servers' => "127.0.0.1:{$sentinel->address->port}", 'sentinel_master' => 'shop',
                'sentinel_connect_retries' => '0', 'password' => 'secret',
            ], 'x');
            self::fail('the Sentinel knows nobody');
        } catch (Unreachable $failure) {
            self::assertStringContainsString('No Sentinel names a primary of "shop"', $failure->getMessage());
            self::assertStringContainsString('knows no primary of that name', $failure->getMessage());
        }
        self::assertSame(
            [['AUTH secret', 'SENTINEL get-master-addr-by-name shop']],
            $sentinel->commands()
        );
    }

    /** @param array<string, string> $options */
    private function visit(array $options, string $data): void
    {
        $settings = new Settings($options + ['database' => '2']);
        $store = StoreFactory::create($settings);
        $request = new Request('web1|1', 'GET /');
        $store->commit('sess_a', $request, $store->open('sess_a', $request), $data, 600);
        $store->disconnect();
    }

    private function dataOn(Server $server): mixed
    {
        return $server->wire('secret')->batch([['SELECT', '2'], ['HGET', 'sess_a', 'data']], 5)[1];
    }

    private function start(Server $server): Server
    {
        return $this->servers[] = $server;
    }

    /** @param list<list<array{read?: int, send?: string, close?: bool}>> $connections */
    private function play(array $connections): Peer
    {
        return $this->peers[] = new Peer($connections);
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
