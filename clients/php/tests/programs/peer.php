<?php

// A server that a test plays: peer.php ADDRESS SCRIPT [CERTIFICATE]. SCRIPT is a file of JSON: a list of connections,
// each a list of steps: {"read": n} reads so many commands, {"send": base64}, {"close": true}. It prints the address it
// listens on, and at the end, as one line of JSON, the commands that it has read.

declare(strict_types=1);

[, $address, $path] = $argv;
$script = json_decode((string) file_get_contents($path), true, 16, JSON_THROW_ON_ERROR);
$context = stream_context_create(isset($argv[3]) ? ['ssl' => ['local_cert' => $argv[3]]] : []);
$flags = STREAM_SERVER_BIND | STREAM_SERVER_LISTEN;
$listener = stream_socket_server($address, $number, $text, $flags, $context);
if ($listener === false) {
    fwrite(STDERR, "$text\n");
    exit(1);
}
echo stream_socket_get_name($listener, false), "\n";

/**
 * @param resource $stream
 * @return list<string>|null null: the client has hung up
 */
function readCommand($stream): ?array
{
    $line = fgets($stream);
    if ($line === false) {
        return null;
    }
    $words = [];
    for ($left = (int) substr($line, 1); $left > 0; --$left) {
        $length = (int) substr((string) fgets($stream), 1);
        $words[] = substr((string) stream_get_contents($stream, $length + 2), 0, $length);
    }
    return $words;
}

$log = [];
foreach ($script as $steps) {
    $stream = @stream_socket_accept($listener, 20);
    if ($stream === false) {
        $log[] = [];
        continue;
    }
    $commands = [];
    foreach ($steps as $step) {
        for ($left = $step['read'] ?? 0; $left > 0; --$left) {
            $command = readCommand($stream);
            $commands[] = $command === null ? '(closed)' : implode(' ', $command);
        }
        if (isset($step['send'])) {
            fwrite($stream, base64_decode($step['send']));
            fflush($stream);
        }
        if (isset($step['close'])) {
            fclose($stream);
            $stream = null;
            break;
        }
    }
    $log[] = $commands;
    $kept[] = $stream;
}
echo json_encode($log), "\n";
