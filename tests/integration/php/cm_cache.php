<?php
// Magento's object cache up to 2.4.8: hashes zc:k:<id>, tag sets zc:ti:<tag>, all tags in zc:tags.
// cm_cache.php PORT work PREFIX SAVES SEED   saves, loads and cleans under one id prefix
// cm_cache.php PORT gc                       removes dead ids from the tag sets
declare(strict_types=1);
require __DIR__ . '/common.php';

final class CmCache
{
    public function __construct(private Redis $redis)
    {
    }

    public function save(string $id, string $data, array $tags, ?int $lifetime_s): void
    {
        $old = $this->redis->hGet("zc:k:$id", 't');
        $gone = array_diff($old ? explode(',', $old) : [], $tags);
        $pipeline = $this->redis->multi(Redis::PIPELINE);
        $pipeline->hMSet("zc:k:$id", ['d' => $data, 't' => implode(',', $tags), 'm' => time(),
            'i' => $lifetime_s === null ? 1 : 0]);
        if ($lifetime_s !== null) {
            $pipeline->expire("zc:k:$id", $lifetime_s);
        } else {
            $pipeline->persist("zc:k:$id");
        }
        $pipeline->sAdd('zc:tags', ...$tags);
        foreach ($tags as $tag) {
            $pipeline->sAdd("zc:ti:$tag", $id);
        }
        foreach ($gone as $tag) {
            $pipeline->sRem("zc:ti:$tag", $id);
        }
        $replies = $pipeline->exec();
        check(!in_array(null, $replies, true) && $replies[0] === true, "save $id");
    }

    public function load(string $id): ?string
    {
        $data = $this->redis->hGet("zc:k:$id", 'd');
        return $data === false ? null : $data;
    }

    public function cleanAnyTag(array $tags): int
    {
        $ids = $this->redis->sUnion(array_map(static fn ($tag) => "zc:ti:$tag", $tags));
        foreach (array_chunk($ids, 10_000) as $chunk) {
            $this->redis->unlink(array_map(static fn ($id) => "zc:k:$id", $chunk));
        }
        $this->redis->multi(Redis::PIPELINE)
            ->unlink(array_map(static fn ($tag) => "zc:ti:$tag", $tags))
            ->sRem('zc:tags', ...$tags)
            ->exec();
        return count($ids);
    }

    public function cleanAllTags(array $tags): int
    {
        $ids = $this->redis->sInter(array_map(static fn ($tag) => "zc:ti:$tag", $tags));
        $pipeline = $this->redis->multi(Redis::PIPELINE);
        foreach ($ids as $id) {
            $pipeline->unlink("zc:k:$id");
        }
        $pipeline->exec();
        return count($ids);
    }

    /** Walks each tag set with SSCAN and removes members from the set that it walks. */
    public function collectGarbage(): int
    {
        $removed = 0;
        foreach ($this->redis->sMembers('zc:tags') as $tag) {
            $cursor = null;
            while (($ids = $this->redis->sScan("zc:ti:$tag", $cursor, null, 100)) !== false) {
                $pipeline = $this->redis->multi(Redis::PIPELINE);
                foreach ($ids as $id) {
                    $pipeline->exists("zc:k:$id");
                }
                $alive = $pipeline->exec() ?: [];
                $dead = array_values(array_filter($ids, static fn ($n) => !$alive[$n], ARRAY_FILTER_USE_KEY));
                if ($dead !== []) {
                    $removed += $this->redis->sRem("zc:ti:$tag", ...$dead);
                }
            }
            if ($this->redis->sCard("zc:ti:$tag") === 0) {
                $this->redis->sRem('zc:tags', $tag);
            }
        }
        return $removed;
    }
}

$cache = new CmCache(connect((int)$argv[1]));
if ($argv[2] === 'gc') {
    echo $cache->collectGarbage(), "\n";
    exit;
}
[, , , $prefix, $saves, $seed] = $argv;
mt_srand((int)$seed);
$cleaned = 0;
for ($n = 0; $n < (int)$saves; ++$n) {
    $id = $prefix . '_' . mt_rand(1, 400);
    $tags = ["{$prefix}_MAGE", "{$prefix}_CAT" . mt_rand(1, 20), "{$prefix}_PROD" . mt_rand(1, 60)];
    $data = str_repeat($id, mt_rand(1, 100));
    $cache->save($id, $data, $tags, [null, 1, 7200, 7200][mt_rand(0, 3)]);
    $loaded = $cache->load($id);
    check($loaded === $data || $loaded === null, "load $id");
    if ($n % 50 === 49) {
        $cleaned += $cache->cleanAnyTag(["{$prefix}_CAT" . mt_rand(1, 20), "{$prefix}_PROD" . mt_rand(1, 60)]);
    }
    if ($n % 30 === 29) {
        $cleaned += $cache->cleanAllTags(["{$prefix}_MAGE", "{$prefix}_CAT" . mt_rand(1, 20)]);
    }
}
echo $cleaned, "\n";
