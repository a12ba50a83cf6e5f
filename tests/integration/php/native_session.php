<?php
// Visits of one session through phpredis' own save handler: native_session.php PORT ID VISITS [LOCKING]
declare(strict_types=1);
require __DIR__ . '/common.php';

[, $port, $id, $visits] = $argv;
ini_set('session.save_handler', 'redis');
ini_set('session.save_path', "tcp://127.0.0.1:$port?database=2&prefix=sess_");
ini_set('session.use_cookies', '0');
ini_set('session.cache_limiter', '');
ini_set('redis.session.locking_enabled', $argv[4] ?? '1');
ini_set('redis.session.lock_retries', '-1');
ini_set('redis.session.lock_wait_time', '2000');

for ($visit = 0; $visit < (int)$visits; ++$visit) {
    session_id($id);
    check(session_start(), 'session_start');
    $_SESSION['count'] = ($_SESSION['count'] ?? 0) + 1;
    $_SESSION['blob'] ??= str_repeat('x', 2000);
    check(session_write_close(), 'session_write_close');
}
session_id($id);
session_start();
echo $_SESSION['count'], "\n";
session_write_close();
