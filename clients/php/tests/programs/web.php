<?php

// The pages that tests visit over php -S. CLOAKROOM_OPTIONS has the handler's options as JSON, CLOAKROOM_LOG a file.
// /ACTION?register=object|alone|callables&… ; each page first reads the session and counts it up.

declare(strict_types=1);

use Cloakroom\Session\Handler;

require dirname(__DIR__) . '/autoload.php';

ini_set('display_errors', '0');
ini_set('session.use_strict_mode', $_GET['strict'] ?? '0');
$options = json_decode((string) getenv('CLOAKROOM_OPTIONS'), true, 8, JSON_THROW_ON_ERROR);
$handler = Handler::create($options, static function (string $level, string $message): void {
    file_put_contents((string) getenv('CLOAKROOM_LOG'), "$level: $message\n", FILE_APPEND | LOCK_EX);
});

$register = $_GET['register'] ?? 'object';
if ($register === 'callables') {
    // As Magento does: its wrapper hides all but these six, and PHP adds no shutdown function.
    session_set_save_handler(
        $handler->open(...),
        $handler->close(...),
        $handler->read(...),
        $handler->write(...),
        $handler->destroy(...),
        $handler->gc(...)
    );
} else {
    session_set_save_handler($handler, $register === 'object');
}

$action = trim((string) parse_url((string) $_SERVER['REQUEST_URI'], PHP_URL_PATH), '/');
if ($action === 'readonly') {
    $handler->setReadOnly(true);
}
$start = microtime(true);
session_start();
$waited = (microtime(true) - $start) * 1000;
$_SESSION['count'] = ($_SESSION['count'] ?? 0) + 1;
usleep(1000 * (int) ($_GET['ms'] ?? 0));

$actions = [
    'exception' => static function (): void {
        throw new RuntimeException('the page fails');
    },
    'fatal' => static function (): void {
        ini_set('memory_limit', '16M');
        str_repeat('x', 64 << 20);
    },
    'exit' => static function (): void {
        exit;
    },
    'exit-at-shutdown' => static function (): void {
        register_shutdown_function(static function (): void {
            exit(1);
        });
    },
    'fatal-at-shutdown' => static function (): void {
        register_shutdown_function('strlen');
        exit;
    },
    'late' => static function (): void {
        register_shutdown_function(static function (): void {
            $_SESSION['late'] = true;
        });
        exit;
    },
    'abort' => static function (): void {
        for ($i = 0; $i < 1000; ++$i) {
            echo str_repeat('.', 10000);
            flush();
            usleep(10000);
        }
    },
    'discard' => session_abort(...),
    'regenerate' => static function (): void {
        session_regenerate_id((bool) ($_GET['delete'] ?? false));
        $_SESSION['count'] += 10;
    },
    'destroy' => session_destroy(...),
    'upgrade' => static function () use ($handler): void {
        $handler->setReadOnly(true);
        session_abort();
        session_start();
        session_write_close();
        $handler->setReadOnly(false);
        session_start();
        $_SESSION['count'] += 100;
    },
];
($actions[$action] ?? static fn () => null)();
$count = $_SESSION['count'] ?? null;
$id = session_id();
if (session_status() === PHP_SESSION_ACTIVE && $action !== 'leave') {
    session_write_close();
}
header('Content-Type: application/json');
echo json_encode(['count' => $count, 'waited' => $waited, 'id' => $id, 'changed' => $handler->changedSinceRead()]);
