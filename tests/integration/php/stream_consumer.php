<?php
// stream_consumer.php PORT CONSUMER   reads stream "jobs" in group "workers", as a queue's worker does
//
// Takes what a consumer left unfinished, then waits for new jobs; acknowledges each one, and counts
// it in a hash. Every seventh job it drops once without an acknowledgement, as if it had crashed. A
// job named "stop" ends it. Prints how many jobs it has finished.
declare(strict_types=1);
require __DIR__ . '/common.php';

[, $port, $consumer] = $argv;
$redis = connect((int)$port);
$redis->setOption(Redis::OPT_READ_TIMEOUT, 30);
$finished = 0;

while (true) {
    $ids = array_column($redis->xPending('jobs', 'workers', '-', '+', 10) ?: [], 0);
    $entries = $ids === [] ? [] : $redis->xClaim('jobs', 'workers', $consumer, 1, $ids);
    $read = $redis->xReadGroup('workers', $consumer, ['jobs' => '>'], 5, 100);
    foreach (is_array($read) ? $read['jobs'] ?? [] : [] as $id => $job) {
        if ($job['name'] !== 'stop' && (int)$job['name'] % 7 === 0) {
            continue;
        }
        $entries[$id] = $job;
    }
    $stop = false;
    foreach ($entries as $id => $job) {
        if ($stop && $job['name'] === 'stop') {
            continue; // it is for another consumer, which claims it
        }
        if ($redis->xAck('jobs', 'workers', [$id]) !== 1) {
            continue; // another consumer has claimed it meanwhile, and finished it
        }
        if ($job['name'] === 'stop') {
            $stop = true;
            continue;
        }
        $redis->hIncrBy('done', $job['name'], 1);
        ++$finished;
    }
    if ($stop) {
        break;
    }
}
echo "$finished\n";
