<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Live;

use Cloakroom\Session\Tests\Support\Server;

final class PlainOnCloakroomTest extends PlainOnRedisTest
{
    protected function startServer(): Server
    {
        return Server::cloakroom([], false);
    }

    protected function options(): array
    {
        return ['mode' => 'plain'];
    }
}
