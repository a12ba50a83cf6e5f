<?php

// hold.php ID SECONDS: opens a session, says so, and holds it. CLOAKROOM_OPTIONS has the handler's options as JSON.

declare(strict_types=1);

use Cloakroom\Session\Handler;

require dirname(__DIR__) . '/autoload.php';

[, $id, $seconds] = $argv;
$options = json_decode((string) getenv('CLOAKROOM_OPTIONS'), true, 8, JSON_THROW_ON_ERROR);
session_set_save_handler(Handler::create($options), true);
ini_set('session.use_cookies', '0');
ini_set('session.cache_limiter', '');
session_id($id);
session_start();
echo "locked\n";
sleep((int) $seconds);
