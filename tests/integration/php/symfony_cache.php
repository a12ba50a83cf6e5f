<?php
// symfony_cache.php PORT phpredis|predis plain|tags: the life of items in Symfony's Redis adapters.
declare(strict_types=1);
require __DIR__ . '/common.php';
require 'Symfony/Component/Cache/autoload.php';
require 'Predis/autoload.php';

use Symfony\Component\Cache\Adapter\RedisAdapter;
use Symfony\Component\Cache\Adapter\RedisTagAwareAdapter;

[, $port, $library, $kind] = $argv;
$client = $library === 'phpredis'
    ? RedisAdapter::createConnection("redis://127.0.0.1:$port/1")
    : new Predis\Client(['host' => '127.0.0.1', 'port' => (int)$port, 'database' => 1]);

function cache(object $client, string $kind, string $namespace = 'shop'): object
{
    return $kind === 'plain' ? new RedisAdapter($client, $namespace)
                             : new RedisTagAwareAdapter($client, $namespace);
}

function saves_and_gets(object $cache): void
{
    check(!$cache->getItem('config')->isHit(), 'a new cache is empty');
    $value = ['xml' => str_repeat('<config/>', 1000), 'bytes' => "\x00\xff\r\n", 'n' => 1.5];
    check($cache->save($cache->getItem('config')->set($value)), 'save');
    check($cache->getItem('config')->get() === $value, 'what was saved is read');
    check($cache->hasItem('config') && !$cache->hasItem('other'), 'hasItem');
    for ($n = 0; $n < 200; ++$n) {
        $cache->saveDeferred($cache->getItem("page$n")->set("body $n"));
    }
    check($cache->commit(), 'commit of 200');
    $found = 0;
    foreach ($cache->getItems(array_map(static fn (int $n) => "page$n", range(0, 299))) as $key => $item) {
        $found += $item->isHit() && $item->get() === 'body ' . substr($key, 4) ? 1 : 0;
    }
    check($found === 200, "getItems finds $found of 200");
    $calls = 0;
    $compute = static function () use (&$calls) { return 'computed ' . ++$calls; };
    check($cache->get('lazy', $compute) === 'computed 1', 'get computes');
    check($cache->get('lazy', $compute) === 'computed 1', 'get remembers');
    check($cache->deleteItem('config') && !$cache->hasItem('config'), 'deleteItem');
    check($cache->deleteItems(['page1', 'page2', 'nosuch']), 'deleteItems');
    check(!$cache->hasItem('page1') && $cache->hasItem('page3'), 'deleteItems deletes its own');
}

function expires(object $cache): void
{
    $cache->save($cache->getItem('brief')->set('1')->expiresAfter(1));
    $cache->save($cache->getItem('long')->set('2')->expiresAfter(3600));
    check($cache->hasItem('brief') && $cache->hasItem('long'), 'both are there');
    usleep(2_100_000);
    check(!$cache->hasItem('brief') && $cache->hasItem('long'), 'one has expired');
}

function invalidates(object $cache): void
{
    foreach (['p1' => ['cat1', 'all'], 'p2' => ['cat2', 'all'], 'p3' => ['cat3']] as $key => $tags) {
        check($cache->save($cache->getItem($key)->set($key)->tag($tags)), "save $key");
    }
    check($cache->invalidateTags(['cat1', 'nosuch']), 'invalidateTags cat1');
    check(!$cache->hasItem('p1') && $cache->hasItem('p2') && $cache->hasItem('p3'), 'only p1 is gone');
    // A new set of tags replaces the old one.
    $cache->save($cache->getItem('p3')->set('again')->tag(['all']));
    $cache->invalidateTags(['cat3']);
    check($cache->hasItem('p3'), 'p3 no longer has its old tag');
    $cache->invalidateTags(['all']);
    check(!$cache->hasItem('p2') && !$cache->hasItem('p3'), 'all is gone');
    $many = array_map(static fn (int $n) => "tag$n", range(1, 1000));
    $cache->save($cache->getItem('wide')->set('1')->tag($many));
    $cache->invalidateTags(['tag777']);
    check(!$cache->hasItem('wide'), 'one of a thousand tags is enough');
}

function clears(object $cache, object $neighbour): void
{
    $neighbour->save($neighbour->getItem('mine')->set('kept'));
    for ($n = 0; $n < 3000; ++$n) {
        $cache->saveDeferred($cache->getItem("c$n")->set($n));
    }
    $cache->commit();
    check($cache->clear('c1'), 'clear by prefix');
    check(!$cache->hasItem('c1999') && $cache->hasItem('c2000'), 'only the prefix is cleared');
    check($cache->clear(), 'clear');
    check(!$cache->hasItem('c2000') && !$cache->hasItem('long'), 'everything is cleared');
    check($neighbour->hasItem('mine'), 'but not the other namespace');
}

saves_and_gets(cache($client, $kind));
expires(cache($client, $kind));
if ($kind === 'tags') {
    invalidates(cache($client, $kind));
}
clears(cache($client, $kind), cache($client, $kind, 'neighbour'));
echo "ok\n";
