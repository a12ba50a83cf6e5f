<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Support;

use PHPUnit\Framework\Assert;

/** A program that a test started. It dies with the test. */
final class Process
{
    /** @var resource */
    private $handle;

    /** @var array<int, resource> */
    private array $pipes = [];
    private string $buffer = '';
    private ?int $status = null;

    /**
     * @param list<string> $command
     * @param array<string, string> $environment added to this process' own
     */
    public function __construct(array $command, array $environment = [], private readonly ?string $outputPath = null)
    {
        $output = $outputPath === null ? ['pipe', 'w'] : ['file', $outputPath, 'a'];
        $errors = $outputPath === null ? ['pipe', 'w'] : ['redirect', 1];
        $files = [0 => ['file', '/dev/null', 'r'], 1 => $output, 2 => $errors];
        $leash = is_executable('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL'] : [];
        $handle = proc_open([...$leash, ...$command], $files, $this->pipes, null, $environment + getenv());
        Assert::assertIsResource($handle, implode(' ', $command));
        $this->handle = $handle;
    }

    /** @param list<string> $arguments of one of the programs beside the tests */
    public static function php(string $program, array $arguments = [], array $environment = []): self
    {
        return new self([PHP_BINARY, dirname(__DIR__) . "/programs/$program", ...$arguments], $environment);
    }

    /** The next line that it writes, without its end. */
    public function line(float $timeoutS = 20): string
    {
        while (($end = strpos($this->buffer, "\n")) === false) {
            $read = [$this->pipes[1]];
            $none = null;
            $ready = stream_select($read, $none, $none, (int) $timeoutS, 0);
            $bytes = $ready === 1 ? fread($this->pipes[1], 65536) : '';
            if ($bytes === '' || $bytes === false) {
                Assert::fail("no line came; so far: {$this->buffer}\n" . $this->errors());
            }
            $this->buffer .= $bytes;
        }
        $line = substr($this->buffer, 0, $end);
        $this->buffer = substr($this->buffer, $end + 1);
        return $line;
    }

    /** All that it still writes; waits for its end, which must be the expected one. */
    public function finish(int $status = 0): string
    {
        $output = $this->buffer . stream_get_contents($this->pipes[1]);
        $errors = $this->errors();
        $this->close();
        Assert::assertSame($status, $this->status, "$output\n$errors");
        return $output;
    }

    public function signal(int $number): void
    {
        proc_terminate($this->handle, $number);
    }

    public function isRunning(): bool
    {
        return is_resource($this->handle) && proc_get_status($this->handle)['running'];
    }

    public function output(): string
    {
        return $this->outputPath === null ? '' : (string) file_get_contents($this->outputPath);
    }

    public function stop(): void
    {
        if (is_resource($this->handle)) {
            $this->signal(SIGKILL);
            $this->close();
        }
    }

    private function errors(): string
    {
        if (!isset($this->pipes[2])) {
            return '';
        }
        stream_set_blocking($this->pipes[2], false);
        return (string) stream_get_contents($this->pipes[2]);
    }

    private function close(): void
    {
        array_map(fclose(...), $this->pipes);
        $this->pipes = [];
        $this->status = proc_close($this->handle);
    }
}
