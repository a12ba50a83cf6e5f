<?php

// serve.php [PORT]: the demo's page on PORT (8000), and a php -S for each of its six requests on the ports after it.
//
// Not PHP_CLI_SERVER_WORKERS: of its workers one may accept several connections, which then wait for that worker, and
// not for the session.

declare(strict_types=1);

const PARALLEL = 6;

$port = (int) ($argv[1] ?? 8000);
$servers = [];
register_shutdown_function(static function () use (&$servers): void {
    array_map(proc_terminate(...), $servers);
});
if (function_exists('pcntl_async_signals')) {
    pcntl_async_signals(true);
    foreach ([SIGINT, SIGTERM] as $signal) {
        pcntl_signal($signal, static function (): void {
            exit(0);
        });
    }
}
for ($number = 0; $number <= PARALLEL; ++$number) {
    $command = [PHP_BINARY, '-q', '-S', '127.0.0.1:' . ($port + $number), __DIR__ . '/index.php'];
    $nothing = ['file', '/dev/null', 'w'];
    $servers[] = proc_open($command, [['file', '/dev/null', 'r'], $nothing, $nothing], $pipes);
}
echo "http://127.0.0.1:$port/ shows the demo; Ctrl-C ends it.\n";
while (true) {
    foreach ($servers as $number => $server) {
        if (!proc_get_status($server)['running']) {
            fwrite(STDERR, 'Port ' . ($port + $number) . " is taken: serve.php PORT uses others.\n");
            exit(1);
        }
    }
    usleep(200_000);
}
