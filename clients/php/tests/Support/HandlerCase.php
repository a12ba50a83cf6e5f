<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Support;

use Cloakroom\Session\Handler;
use Cloakroom\Session\Settings;
use Cloakroom\Session\StoreFactory;
use PHPUnit\Framework\TestCase;

/** A page of a shop, and a handler over a native store whose server a test plays. */
abstract class HandlerCase extends TestCase
{
    protected const HELD = [77, 'n|i:1;', 7, '7-70', 3412345, null];
    protected const COMMIT = 'SESSION.COMMIT sess_a 77 DATA n|i:2; EX 3600 IF 7-70';
    protected const RELEASE = 'SESSION.RELEASE sess_a 77';

    protected FakeWire $wire;
    protected Log $log;

    protected function setUp(): void
    {
        $_SERVER['HTTP_USER_AGENT'] = 'Mozilla/5.0 Firefox/130';
        $_SERVER['REQUEST_METHOD'] = 'GET';
        $_SERVER['SERVER_NAME'] = 'shop';
        $_SERVER['REQUEST_URI'] = '/cart/';
    }

    protected function tearDown(): void
    {
        unset($_SERVER['HTTP_USER_AGENT'], $_SERVER['REQUEST_METHOD']);
        unset($_SERVER['SERVER_NAME'], $_SERVER['REQUEST_URI']);
    }

    /**
     * @param list<list<mixed>|\Throwable> $script
     * @param array<string, mixed> $options
     */
    protected function handler(array $script, array $options = []): Handler
    {
        $this->wire = new FakeWire($script);
        $this->log = new Log();
        $settings = new Settings($options + ['database' => '0', 'mode' => 'native']);
        return new Handler(StoreFactory::create($settings, $this->wire), $settings, $this->log->writer());
    }
}
