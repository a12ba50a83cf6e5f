<?php
// Magento's cache from 2.4.9 on: strings <ns>:<id>, cache:tags:<ns><tag>, cache:id_tags:<ns><id> and
// cache:all_ids, kept consistent by scripts that get everything in ARGV and no KEYS at all.
// tagged_cache.php PORT work SAVES SEED   saves, loads and cleans ids that other processes use too
// tagged_cache.php PORT gc
declare(strict_types=1);
require __DIR__ . '/common.php';

const NS = 'mage_';

const SAVE = <<<'LUA'
local ns, id, ttl, data = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local id_tags = 'cache:id_tags:' .. ns .. id
local old = redis.call('SMEMBERS', id_tags)
for _, tag in ipairs(old) do
  redis.call('SREM', 'cache:tags:' .. ns .. tag, id)
end
redis.call('DEL', id_tags)
redis.call('SETEX', ns .. ':' .. id, ttl, data)
for i = 5, #ARGV do
  redis.call('SADD', 'cache:tags:' .. ns .. ARGV[i], id)
  redis.call('SADD', id_tags, ARGV[i])
end
redis.call('SADD', 'cache:all_ids', id)
return true
LUA;

const CLEAN = <<<'LUA'
local ns = ARGV[1]
local sets, removed = {}, 0
for i = 2, #ARGV do
  table.insert(sets, 'cache:tags:' .. ns .. ARGV[i])
end
local ids = redis.call('SUNION', unpack(sets))
for _, id in ipairs(ids) do
  local id_tags = 'cache:id_tags:' .. ns .. id
  for _, tag in ipairs(redis.call('SMEMBERS', id_tags)) do
    redis.call('SREM', 'cache:tags:' .. ns .. tag, id)
  end
  removed = removed + redis.call('UNLINK', ns .. ':' .. id)
  redis.call('UNLINK', id_tags)
  redis.call('SREM', 'cache:all_ids', id)
end
return removed
LUA;

const COLLECT = <<<'LUA'
local ns, cursor, removed = ARGV[1], '0', 0
repeat
  local page = redis.call('SSCAN', 'cache:all_ids', cursor, 'COUNT', 100)
  cursor = page[1]
  for _, id in ipairs(page[2]) do
    if redis.call('EXISTS', ns .. ':' .. id) == 0 then
      local id_tags = 'cache:id_tags:' .. ns .. id
      for _, tag in ipairs(redis.call('SMEMBERS', id_tags)) do
        redis.call('SREM', 'cache:tags:' .. ns .. tag, id)
      end
      redis.call('DEL', id_tags)
      redis.call('SREM', 'cache:all_ids', id)
      removed = removed + 1
    end
  end
until '0' == cursor
return removed
LUA;

const RELEASE = <<<'LUA'
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
LUA;

/** EVALSHA with no KEYS; the script is loaded once for each process. */
function script(Redis $redis, string $text, array $arguments, int $keys = 0): mixed
{
    static $loaded = [];
    $sha = $loaded[$text] ??= $redis->script('load', $text);
    check($sha === sha1($text), 'SCRIPT LOAD answers the SHA1');
    $redis->clearLastError();
    $reply = $redis->evalSha($sha, $arguments, $keys);
    check($redis->getLastError() === null, 'EVALSHA: ' . $redis->getLastError());
    return $reply;
}

function regenerate(Redis $redis, string $id, callable $compute): void
{
    $token = uniqid('', true);
    if ($redis->set("lock:$id", $token, ['nx', 'ex' => 10])) {
        $compute();
        check(script($redis, RELEASE, ["lock:$id", $token], 1) === 1, 'the lock was still mine');
    }
}

$redis = connect((int)$argv[1]);
if ($argv[2] === 'gc') {
    echo script($redis, COLLECT, [NS]), "\n";
    exit;
}
mt_srand((int)$argv[4]);
$removed = 0;
for ($n = 0; $n < (int)$argv[3]; ++$n) {
    $id = 'entry' . mt_rand(1, 300);
    $redis->mGet([NS . ":$id"]);
    regenerate($redis, $id, static function () use ($redis, $id): void {
        $tags = ['MAGE', 'CAT' . mt_rand(1, 20), 'PROD' . mt_rand(1, 60), 'BLOCK' . mt_rand(1, 5)];
        $data = str_repeat("$id|", mt_rand(1, 200));
        $ttl_s = mt_rand(0, 3) === 0 ? 1 : 7200;
        check(script($redis, SAVE, [NS, $id, $ttl_s, $data, ...$tags]) === 1, 'true is 1');
    });
    if ($n % 20 === 19) {
        $removed += script($redis, CLEAN, [NS, 'CAT' . mt_rand(1, 20), 'PROD' . mt_rand(1, 60)]);
    }
}
echo $removed, "\n";
