<?php
// The package's plain store, which takes the library's steps: what library_visits.php does, without it.
//   plain_visits.php PORT ID VISITS
declare(strict_types=1);

require __DIR__ . '/common.php';
require dirname(__DIR__, 3) . '/clients/php/tests/autoload.php';
[, $port, $id, $visits] = $argv;

for ($visit = 0; $visit < (int) $visits; ++$visit) {
    $handler = Cloakroom\Session\Handler::create(['port' => $port, 'database' => '2', 'mode' => 'plain']);
    check($handler->open('', 'PHPSESSID'), 'open');
    $began = microtime(true);
    $count = (int) $handler->read($id);
    printf("%.3f\n", microtime(true) - $began);
    check($handler->write($id, (string) ($count + 1)), 'write');
    $handler->close();
}
