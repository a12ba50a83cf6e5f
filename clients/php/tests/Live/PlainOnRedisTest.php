<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Live;

use Cloakroom\Session\Tests\Support\Server;

class PlainOnRedisTest extends WebTest
{
    protected function startServer(): Server
    {
        return Server::redis();
    }

    protected function options(): array
    {
        return ['mode' => 'auto'];
    }

    protected function waitForLock(): void
    {
        $this->eventually(fn (): bool => $this->server->ask(['HGET', self::KEY, 'lock'], 2) === '1');
    }

    public function testWithoutLockingNobodyWaits(): void
    {
        $this->web = new \Cloakroom\Session\Tests\Support\Web(['disable_locking' => '1'] + $this->connection());
        $pages = $this->web->getAll(array_fill(0, 3, '/count?ms=300'), self::ID);
        foreach ($pages as $page) {
            self::assertLessThan(250, json_decode($page['body'], true)['waited']);
        }
        self::assertArrayNotHasKey('pid', $this->server->hash(self::KEY));
    }
}
