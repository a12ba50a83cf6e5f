<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Support;

use Cloakroom\Session\Wire\Address;

/** A server played by a script of steps, in a process of its own. See programs/peer.php. */
final class Peer
{
    private readonly Process $process;
    public readonly Address $address;

    /** @param list<list<array{read?: int, send?: string, close?: bool}>> $connections "send" as raw bytes */
    public function __construct(array $connections, string $listen = 'tcp://127.0.0.1:0', ?string $certificate = null)
    {
        foreach ($connections as &$steps) {
            foreach ($steps as &$step) {
                if (isset($step['send'])) {
                    $step['send'] = base64_encode($step['send']);
                }
            }
        }
        $script = (string) tempnam(sys_get_temp_dir(), 'peer');
        file_put_contents($script, json_encode($connections));
        $arguments = [$listen, $script, ...($certificate === null ? [] : [$certificate])];
        $this->process = Process::php('peer.php', $arguments);
        $where = $this->process->line();
        unlink($script);
        $this->address = Address::fromText($where, 0, $certificate !== null);
    }

    /** @return list<list<string>> the commands of each connection; waits until the script is done */
    public function commands(): array
    {
        return json_decode($this->process->line(), true);
    }

    public function stop(): void
    {
        $this->process->stop();
    }
}
