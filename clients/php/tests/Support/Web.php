<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Support;

use PHPUnit\Framework\Assert;

/**
 * A web server, and the browsers in front of it.
 *
 * Each worker is a php -S of its own, which dies with the test. Those that PHP_CLI_SERVER_WORKERS makes outlive it.
 */
final class Web
{
    private const TIMEOUT_S = 30;

    /** @var array<string, Process> by address */
    private array $workers = [];

    /** @var array<int, string> the address of each request that was not finished, by its stream */
    private array $busy = [];
    private readonly string $logPath;
    private readonly string $outputPath;

    /** @param array<string, mixed> $options of the handler */
    public function __construct(private readonly array $options, private readonly string $program = 'web.php')
    {
        $this->logPath = (string) tempnam(sys_get_temp_dir(), 'log');
        $this->outputPath = (string) tempnam(sys_get_temp_dir(), 'web');
    }

    /** @return array{status: int, headers: string, body: string} */
    public function get(string $path, string $id): array
    {
        return $this->finish($this->begin($path, $id));
    }

    /**
     * Asks for all at the same time.
     *
     * @param list<string> $paths
     * @return list<array{status: int, headers: string, body: string}>
     */
    public function getAll(array $paths, string $id): array
    {
        return array_map($this->finish(...), array_map(fn (string $path) => $this->begin($path, $id), $paths));
    }

    /** @return resource a request whose answer nobody has read yet */
    public function begin(string $path, string $id)
    {
        $address = array_values(array_diff(array_keys($this->workers), $this->busy))[0] ?? $this->addWorker();
        $stream = stream_socket_client("tcp://$address", $number, $text, 5);
        Assert::assertIsResource($stream, $text);
        $this->busy[(int) $stream] = $address;
        fwrite($stream, "GET $path HTTP/1.0\r\nHost: shop\r\nUser-Agent: Firefox\r\nCookie: PHPSESSID=$id\r\n\r\n");
        return $stream;
    }

    /**
     * @param resource $stream
     * @return array{status: int, headers: string, body: string}
     */
    public function finish($stream): array
    {
        stream_set_timeout($stream, self::TIMEOUT_S);
        $answer = (string) stream_get_contents($stream);
        Assert::assertFalse(stream_get_meta_data($stream)['timed_out'], 'the page hangs');
        unset($this->busy[(int) $stream]);
        fclose($stream);
        [$headers, $body] = [...explode("\r\n\r\n", $answer, 2), ''];
        return ['status' => (int) substr($headers, 9, 3), 'headers' => $headers, 'body' => $body];
    }

    /** What the handler logged. */
    public function log(): string
    {
        return (string) file_get_contents($this->logPath);
    }

    /** What PHP said. */
    public function output(): string
    {
        return (string) file_get_contents($this->outputPath);
    }

    public function stop(): void
    {
        array_map(static fn (Process $worker) => $worker->stop(), $this->workers);
        unlink($this->logPath);
        unlink($this->outputPath);
    }

    private function addWorker(): string
    {
        $probe = stream_socket_server('tcp://127.0.0.1:0');
        Assert::assertIsResource($probe);
        $address = (string) stream_socket_get_name($probe, false);
        fclose($probe);
        $environment = [
            'CLOAKROOM_OPTIONS' => (string) json_encode($this->options), 'CLOAKROOM_LOG' => $this->logPath,
        ];
        $command = [PHP_BINARY, '-S', $address, dirname(__DIR__) . "/programs/{$this->program}"];
        $this->workers[$address] = new Process($command, $environment, $this->outputPath);
        for ($until = microtime(true) + 10; ($try = @stream_socket_client("tcp://$address")) === false;) {
            Assert::assertLessThan($until, microtime(true), 'php -S does not start: ' . $this->output());
            usleep(5_000);
        }
        fclose($try);
        return $address;
    }
}
