<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Magento;

use Cloakroom\Session\Error\Unreachable;
use Cloakroom\Session\Magento\EnvSettings;
use Cloakroom\Session\Magento\SaveHandler;
use Cloakroom\Session\Tests\Support\Server;
use Cloakroom\Session\Tests\Support\Web;
use Magento\Framework\App\Config\ScopeConfigInterface;
use Magento\Framework\App\DeploymentConfig;
use Magento\Framework\App\Filesystem\DirectoryList;
use Magento\Framework\App\State;
use Magento\Framework\Exception\SessionException;
use Magento\Framework\Session\SaveHandlerInterface;
use Magento\Framework\Session\SessionAccessModeAwareInterface;
use PHPUnit\Framework\TestCase;
use Psr\Log\LoggerInterface;

/** Magento's glue. Magento itself cannot be installed here: the classes that it meets are stand-ins. */
final class SaveHandlerTest extends TestCase
{
    private ?Server $server = null;
    private ?Web $web = null;
    private string $log = '';

    protected function tearDown(): void
    {
        $this->web?->stop();
        $this->server?->stop();
    }

    public function testItIsWhatMagentoAsksFor(): void
    {
        $handler = $this->handler(['port' => '1']);
        self::assertInstanceOf(\SessionHandlerInterface::class, $handler);
        self::assertInstanceOf(SaveHandlerInterface::class, $handler);
        self::assertInstanceOf(SessionAccessModeAwareInterface::class, $handler);
    }

    public function testSessionsThatInheritedNoLocksAreLoggedOnce(): void
    {
        $redis = ['disable_locking' => '1'];
        $this->handler(['port' => '1'], $redis)->open('', 'PHPSESSID');
        self::assertSame(1, substr_count($this->log, "\n"));
        self::assertStringContainsString('warning Cloakroom session: sessions are not native', $this->log);
        self::assertStringContainsString('Set disable_locking in session/cloakroom', $this->log);
        $this->log = '';
        $this->handler(['port' => '1', 'disable_locking' => '1'], $redis)->open('', 'PHPSESSID');
        $this->handler(['port' => '1', 'disable_locking' => '0'], $redis)->open('', 'PHPSESSID');
        $this->handler(['port' => '1'], [])->open('', 'PHPSESSID');
        self::assertSame('', $this->log);
    }

    public function testUnreachableServerIsNoSessionException(): void
    {
        $handler = $this->handler(['port' => '1']);
        self::assertTrue($handler->open('', 'PHPSESSID'));
        try {
            $handler->read('a');
            self::fail('nobody listens on port 1');
        } catch (\Throwable $failure) {
            self::assertInstanceOf(Unreachable::class, $failure);
            self::assertStringStartsWith('critical Cloakroom session: ', $this->log);
            self::assertStringContainsString('was not opened: No connection to', $this->log);
        }
    }

    public function testFilesMustBeAskedFor(): void
    {
        $handler = $this->handler(['port' => '1', 'on_unreachable' => 'files']);
        try {
            $handler->open('', 'PHPSESSID');
            self::fail('nobody listens on port 1');
        } catch (SessionException) {
            self::assertStringContainsString('critical Cloakroom session: sessions are in local files', $this->log);
            self::assertStringContainsString('No connection to', $this->log);
        }
    }

    public function testWithFilesASessionThatWasReadIsNotWrittenElsewhere(): void
    {
        $this->server = Server::redis();
        $options = ['port' => (string) $this->server->port, 'on_unreachable' => 'files', 'timeout' => '0.2'];
        $handler = $this->handler($options);
        $handler->open('', 'PHPSESSID');
        $handler->read('a');
        $this->server->kill();
        $this->expectException(Unreachable::class);
        $handler->write('a', 'n|i:1;');
    }

    public function testWrongOptionIsNoSessionException(): void
    {
        $this->expectException(\InvalidArgumentException::class);
        $this->handler(['mode' => 'fast']);
    }

    public function testTooManyWaitersSeeTheShopsPageAndTheRequestEnds(): void
    {
        $this->server = Server::redis();
        $this->server->ask(['HSET', 'sess_aaa', 'lock', '5', 'wait', '9', 'pid', 'elsewhere|1'], 2);
        $options = ['port' => (string) $this->server->port, 'database' => '2', 'max_concurrency' => '1'];
        $this->web = new Web($options, 'magento.php');
        // The count of waiters is compared with that of the lock once: so it must have grown as if all of them lived.
        $page = $this->web->begin('/', 'aaa');
        $locks = static fn (Server $server): int => (int) $server->ask(['HGET', 'sess_aaa', 'lock'], 2);
        for ($until = microtime(true) + 10; $locks($this->server) < 6 && microtime(true) < $until; usleep(2000)) {
        }
        $this->server->ask(['HINCRBY', 'sess_aaa', 'lock', '20'], 2);
        $answer = $this->web->finish($page);
        self::assertSame(503, $answer['status']);
        self::assertStringContainsString('Retry-After: 1', $answer['headers']);
        self::assertSame('<h1>The shop is busy</h1>', $answer['body'], 'the page, and nothing after it');
    }

    /**
     * @param array<string, string> $options
     * @param array<string, string> $redis
     */
    private function handler(array $options, array $redis = []): SaveHandler
    {
        $logger = new class (fn (string $line): string => $this->log .= "$line\n") implements LoggerInterface {
            public function __construct(private readonly \Closure $write)
            {
            }

            public function log(mixed $level, string|\Stringable $message, array $context = []): void
            {
                ($this->write)("$level $message");
            }
        };
        $scope = new class implements ScopeConfigInterface {
            public function getValue($path, $scopeType = 'default', $scopeCode = null): string
            {
                return '3600';
            }
        };
        $config = new DeploymentConfig(['session/cloakroom' => $options, 'session/redis' => $redis]);
        return new SaveHandler(
            new EnvSettings($config, new State('frontend'), $scope),
            $logger,
            new DirectoryList('/nowhere')
        );
    }
}
