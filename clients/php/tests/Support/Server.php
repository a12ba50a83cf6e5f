<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Support;

use Cloakroom\Session\Wire\Address;
use Cloakroom\Session\Wire\Login;
use Cloakroom\Session\Wire\SocketWire;
use PHPUnit\Framework\Assert;

/** A server in a directory and on a port of its own: redis-server (REDIS_SERVER) or Cloakroom (CLOAKROOM_SERVER). */
final class Server
{
    private const START_S = 20.0;

    private Process $process;
    public readonly string $directory;

    /** @param list<string> $settings lines of the configuration file */
    private function __construct(
        private readonly string $program,
        public readonly int $port,
        private readonly array $settings,
        private readonly array $arguments = []
    ) {
        $this->directory = sys_get_temp_dir() . '/cloakroom-php-' . getmypid() . "-$port";
        mkdir($this->directory, 0700);
        $this->launch();
    }

    /** @param list<string> $settings */
    public static function redis(array $settings = []): self
    {
        return new self(self::program('REDIS_SERVER', 'redis-server'), self::freePort(), $settings);
    }

    /** @param list<string> $settings */
    public static function sentinel(array $settings): self
    {
        $program = self::program('REDIS_SERVER', 'redis-server');
        return new self($program, self::freePort(), $settings, ['--sentinel']);
    }

    /**
     * Skips the test without a Cloakroom, and if it must have SESSION commands, without these.
     *
     * @param list<string> $settings
     */
    public static function cloakroom(array $settings = [], bool $native = true): self
    {
        $default = dirname(__DIR__, 4) . '/build/release/cloakroom-server';
        $program = self::program('CLOAKROOM_SERVER', $default);
        $server = new self($program, self::freePort(), $settings);
        $reply = $native ? $server->ask(['SESSION.READ', 'probe']) : 'OK';
        if ($reply instanceof \Cloakroom\Session\Wire\ErrorReply && $reply->isUnknownCommand()) {
            $server->stop();
            Assert::markTestSkipped("$program has no SESSION commands yet: {$reply->message}");
        }
        $server->ask(['FLUSHALL']);
        return $server;
    }

    public function launch(): void
    {
        $file = "{$this->directory}/server.conf";
        $lines = [
            "port {$this->port}", 'bind 127.0.0.1', "dir {$this->directory}",
            ...($this->arguments === [] ? ['save ""'] : []), ...$this->settings,
        ];
        file_put_contents($file, implode("\n", $lines) . "\n");
        $this->process = new Process([$this->program, $file, ...$this->arguments], [], "{$this->directory}/log");
        for ($until = microtime(true) + self::START_S; microtime(true) < $until; usleep(10_000)) {
            try {
                $this->ask(['PING']);
                return;
            } catch (\RuntimeException) {
                Assert::assertTrue($this->process->isRunning(), $this->process->output());
            }
        }
        Assert::fail("{$this->program} does not answer:\n" . $this->process->output());
    }

    /** @param list<string> $command */
    public function ask(array $command, int $database = 2): mixed
    {
        $wire = $this->wire();
        $replies = $wire->batch([['SELECT', (string) $database], $command], 10);
        $wire->disconnect();
        return $replies[1];
    }

    public function wire(string $password = ''): SocketWire
    {
        $address = new Address('127.0.0.1', $this->port);
        return new SocketWire(static fn (): Address => $address, new Login('', $password, false), 5);
    }

    /** @return array<string, string> */
    public function hash(string $key, int $database = 2): array
    {
        $flat = $this->ask(['HGETALL', $key], $database);
        Assert::assertIsArray($flat);
        $fields = [];
        foreach (array_chunk($flat, 2) as [$name, $value]) {
            $fields[$name] = $value;
        }
        return $fields;
    }

    /** Sum of the calls of all commands whose name begins so. */
    public function calls(string $prefix): int
    {
        $pattern = '/^cmdstat_' . preg_quote(strtolower($prefix), '/') . '[^:]*:calls=(\d+)/mi';
        preg_match_all($pattern, (string) $this->ask(['INFO', 'commandstats']), $found);
        return (int) array_sum(array_map(intval(...), $found[1]));
    }

    public function signal(int $number): void
    {
        $this->process->signal($number);
    }

    /** Ends it as a crash does. launch() starts it again. */
    public function kill(): void
    {
        $this->process->stop();
    }

    public function stop(): void
    {
        $this->process->stop();
        self::remove($this->directory);
    }

    private static function remove(string $directory): void
    {
        foreach (array_diff((array) scandir($directory), ['.', '..']) as $name) {
            is_dir("$directory/$name") ? self::remove("$directory/$name") : unlink("$directory/$name");
        }
        rmdir($directory);
    }

    private static function program(string $variable, string $default): string
    {
        $name = getenv($variable) ?: $default;
        $path = str_contains($name, '/') ? $name : trim((string) shell_exec('command -v ' . escapeshellarg($name)));
        if (!is_executable($path)) {
            Assert::markTestSkipped("no program at $name; set $variable");
        }
        return $path;
    }

    private static function freePort(): int
    {
        $probe = stream_socket_server('tcp://127.0.0.1:0');
        Assert::assertIsResource($probe);
        $name = (string) stream_socket_get_name($probe, false);
        fclose($probe);
        return (int) substr($name, strrpos($name, ':') + 1);
    }
}
