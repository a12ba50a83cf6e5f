<?php
// What every PHP program of these tests needs: a connection, and a way to fail.
declare(strict_types=1);

error_reporting(E_ALL & ~E_DEPRECATED);
set_error_handler(static function (int $level, string $message, string $file, int $line): bool {
    // Debian's Symfony 5.4 and Predis 1.1 are older than PHP 8.2, which prints many warnings about them.
    if ($level === E_DEPRECATED || $level === E_USER_DEPRECATED || !(error_reporting() & $level)) {
        return true;
    }
    throw new ErrorException($message, 0, $level, $file, $line);
});

function check(bool $holds, string $what): void
{
    if (!$holds) {
        fwrite(STDERR, "does not hold: $what\n");
        exit(1);
    }
}

function connect(int $port, int $database = 0): Redis
{
    $redis = new Redis();
    $redis->connect('127.0.0.1', $port, 5.0);
    if ($database !== 0) {
        check($redis->select($database), "SELECT $database");
    }
    return $redis;
}
