<?php
// shop_visits.php PORT ID visit N    N visits, each adds 1 to the session's counter
// shop_visits.php PORT ID hold S     takes the lock, prints that, writes S seconds later: kept or lost
// shop_visits.php PORT ID break S    takes the lock over after S seconds, writes, prints how long it waited
// shop_visits.php PORT ID destroy 0
declare(strict_types=1);
require __DIR__ . '/common.php';
require __DIR__ . '/shop_session.php';

[, $port, $id, $what, $number] = $argv;

function count_up(string $data): string
{
    $session = $data === '' ? ['count' => 0, 'blob' => str_repeat('y', 1500)] : unserialize($data);
    ++$session['count'];
    return serialize($session);
}

function session(string $port, string $id, float $break_after_s = 60.0): ShopSession
{
    return new ShopSession(connect((int)$port), $id, 3_000, $break_after_s);
}

switch ($what) {
    case 'visit':
        for ($visit = 0; $visit < (int)$number; ++$visit) {
            $session = session($port, $id);
            check($session->write(count_up($session->read())), 'the lock was kept');
        }
        break;
    case 'hold':
        $session = session($port, $id);
        $data = $session->read();
        echo "locked\n";
        usleep((int)($number * 1e6));
        echo $session->write(count_up($data)) ? "kept\n" : "lost\n";
        break;
    case 'break':
        $start = microtime(true);
        $session = session($port, $id, (float)$number);
        check($session->write(count_up($session->read())), 'the breaker owns the lock');
        printf("%.3f\n", microtime(true) - $start);
        break;
    case 'destroy':
        session($port, $id)->destroy();
        break;
}
