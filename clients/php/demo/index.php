<?php

// The demo's pages: / shows both handlers side by side, /visit is one request of a shopper. See ../README.md.

declare(strict_types=1);

use Cloakroom\Session\Error\SessionError;
use Cloakroom\Session\Handler;

require dirname(__DIR__) . '/tests/autoload.php';

const WORK_MS = 50;

/** Opens the session, works, writes it, as a small page of a shop does. */
function visit(string $mode, string $id): array
{
    $options = json_decode(getenv('CLOAKROOM_OPTIONS') ?: '{}', true, 8, JSON_THROW_ON_ERROR);
    ini_set('session.use_cookies', '0');
    ini_set('session.cache_limiter', '');
    session_set_save_handler(Handler::create(['mode' => $mode] + $options), true);
    session_id("demo-$mode-$id");
    $start = microtime(true);
    session_start();
    $open = microtime(true);
    $_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
    $visits = $_SESSION['visits'];
    usleep(WORK_MS * 1000);
    session_write_close();
    return ['waited' => 1000 * ($open - $start), 'worked' => 1000 * (microtime(true) - $open), 'visits' => $visits];
}

$path = parse_url((string) $_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/') {
    header('Content-Type: text/html; charset=utf-8');
    readfile(__DIR__ . '/page.html');
    return;
}
if ($path !== '/visit') {
    http_response_code(404);
    return;
}
// The page is on another port of this machine.
header('Access-Control-Allow-Origin: *');
header('Content-Type: application/json');
$mode = ($_GET['mode'] ?? '') === 'native' ? 'native' : 'plain';
$id = preg_replace('/[^a-z0-9]/', '', (string) ($_GET['id'] ?? '')) ?: 'shared';
try {
    echo json_encode(visit($mode, $id));
} catch (SessionError | InvalidArgumentException $failure) {
    http_response_code(500);
    echo json_encode(['error' => $failure->getMessage()]);
}
