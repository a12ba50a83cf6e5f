<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Live;

use Cloakroom\Session\Tests\Support\Server;
use Cloakroom\Session\Tests\Support\Web;
use PHPUnit\Framework\TestCase;

final class DemoTest extends TestCase
{
    private ?Server $server = null;
    private ?Web $web = null;

    protected function tearDown(): void
    {
        $this->web?->stop();
        $this->server?->stop();
    }

    public function testPageNeedsNothingFromOutside(): void
    {
        $this->start(Server::redis());
        $page = $this->web?->get('/', '');
        self::assertSame(200, $page['status']);
        self::assertStringContainsString('<svg', $page['body']);
        self::assertDoesNotMatchRegularExpression('~https?://|src=|@import~', $page['body']);
        self::assertSame(404, $this->web?->get('/../composer.json', '')['status']);
    }

    public function testPlainHalfWorksWithRedisAndTheOtherSaysWhyNot(): void
    {
        $this->start(Server::redis());
        $plain = (string) $this->web?->get('/visit?mode=plain&id=a', '')['body'];
        self::assertSame(1, json_decode($plain, true)['visits']);
        $native = $this->web?->get('/visit?mode=native&id=a', '');
        self::assertSame(500, $native['status']);
        self::assertStringContainsString('unknown command', $native['body'], 'by which the page knows');
    }

    public function testBothHalvesWorkWithCloakroom(): void
    {
        $this->start(Server::cloakroom());
        foreach (['plain', 'native'] as $mode) {
            $answers = $this->web?->getAll(array_fill(0, 6, "/visit?mode=$mode&id=b"), '') ?? [];
            $visits = array_map(static fn (array $answer): array => json_decode($answer['body'], true), $answers);
            self::assertEqualsCanonicalizing(range(1, 6), array_column($visits, 'visits'), $mode);
            self::assertGreaterThan(200, max(array_column($visits, 'waited')), 'the last of six waits for five');
        }
    }

    private function start(Server $server): void
    {
        $this->server = $server;
        $this->web = new Web(['port' => (string) $server->port], '../../demo/index.php');
    }
}
