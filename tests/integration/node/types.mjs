// types.mjs PORT ioredis|redis: what queues, ranks, logs of events and caches are made of: lists, sorted
// sets, streams, places, HyperLogLogs, functions; and for node-redis, which speaks RESP3 here, its cache
// of replies, which the server's invalidations keep fresh. Prints "ok".
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const [port, library] = [Number(process.argv[2]), process.argv[3]];
const require = createRequire(`${process.env.CLOAKROOM_NODE_MODULES}/`);

const LIBRARY = `#!lua name=shop
redis.register_function('reserve', function(keys, args)
  if tonumber(redis.call('GET', keys[1]) or 0) < tonumber(args[1]) then return 0 end
  redis.call('DECRBY', keys[1], args[1])
  return 1
end)
redis.register_function{function_name='stock', callback=function(keys) return redis.call('GET', keys[1]) end,
                        flags={'no-writes'}}`;

/// Asks again until the answer is the wanted one; gives up after five seconds.
async function until(ask, wanted) {
  const deadline = Date.now() + 5000;
  for (;;) {
    const answer = await ask();
    if (answer === wanted) return;
    assert.ok(Date.now() < deadline, `${answer}, and not ${wanted}`);
    await new Promise(setImmediate); // a cached answer comes without a look at the sockets
  }
}

async function withIoredis() {
  const Redis = require('ioredis');
  const redis = new Redis({ port });
  const other = redis.duplicate();

  assert.equal(await redis.rpush('list', 'a', 'b', 'c'), 3);
  assert.equal(await redis.lmove('list', 'done', 'LEFT', 'RIGHT'), 'a');
  assert.deepEqual(await redis.lmpop(2, 'empty', 'list', 'RIGHT', 'COUNT', 5), ['list', ['c', 'b']]);
  assert.deepEqual(await redis.blpop('empty', 'done', 1), ['done', 'a']);
  assert.equal(await redis.blpop('empty', 0.01), null);
  const waiting = other.blmove('inbox', 'taken', 'RIGHT', 'LEFT', 5);
  await redis.lpush('inbox', 'job');
  assert.equal(await waiting, 'job');

  assert.equal(await redis.zadd('rank', 'GT', 'CH', 3, 'ann', 1.5, 'bob', 2, 'cyd'), 3);
  assert.equal(await redis.zincrby('rank', 2.25, 'bob'), '3.75');
  assert.deepEqual(await redis.zrange('rank', 0, 1, 'REV', 'WITHSCORES'), ['bob', '3.75', 'ann', '3']);
  assert.equal(await redis.zrevrank('rank', 'cyd'), 2);
  assert.deepEqual(await redis.bzpopmin('none', 'rank', 1), ['rank', 'cyd', '2']);
  const seen = {};
  await redis.zadd('many', ...Array.from({ length: 1000 }, (_, n) => [n, `m${n}`]).flat());
  for await (const page of redis.zscanStream('many')) {
    for (let at = 0; at < page.length; at += 2) seen[page[at]] = Number(page[at + 1]);
  }
  assert.equal(Object.keys(seen).length, 1000);
  assert.equal(seen.m777, 777);

  await redis.xgroup('CREATE', 'log', 'readers', '$', 'MKSTREAM');
  const first = await redis.xadd('log', '*', 'kind', 'sale', 'sum', '12');
  const read = await redis.xreadgroup('GROUP', 'readers', 'one', 'COUNT', 5, 'STREAMS', 'log', '>');
  assert.deepEqual(read, [['log', [[first, ['kind', 'sale', 'sum', '12']]]]]);
  assert.equal((await redis.xpending('log', 'readers'))[0], 1);
  assert.equal(await redis.xack('log', 'readers', first), 1);
  const next = other.xread('BLOCK', 5000, 'STREAMS', 'log', first);
  const second = await redis.xadd('log', 'MAXLEN', '~', 1000, '*', 'kind', 'return');
  assert.deepEqual(await next, [['log', [[second, ['kind', 'return']]]]]);

  await redis.config('SET', 'notify-keyspace-events', 'Elx');
  const subscriber = redis.duplicate();
  const events = [];
  const three = new Promise((resolve) => {
    subscriber.on('message', (channel, key) => {
      if (events.push([channel.split(':')[1], key]) === 3) resolve();
    });
  });
  await subscriber.subscribe('__keyevent@0__:rpush', '__keyevent@0__:lpop', '__keyevent@0__:expired');
  await redis.rpush('told', 1, 2);
  await redis.lpop('told');
  await redis.pexpire('told', 20);
  await three;
  await redis.config('SET', 'notify-keyspace-events', '');
  assert.deepEqual(events, [['rpush', 'told'], ['lpop', 'told'], ['expired', 'told']]);

  assert.equal(await redis.function('LOAD', LIBRARY), 'shop');
  await redis.set('coats', 2);
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => redis.fcall('reserve', 1, 'coats', 1))), [1, 1, 0]);
  assert.equal(await redis.fcall_ro('stock', 1, 'coats'), '0');
  await Promise.all([redis, other, subscriber].map((one) => one.quit()));
}

async function withNodeRedis() {
  const { createClient, BasicClientSideCache } = require('redis');
  const connect = async (options) => {
    // "Unstable" replies are as the server sends them: maps stay maps.
    const client = createClient({ socket: { port, host: '127.0.0.1' }, RESP: 3, unstableResp3: true, ...options });
    client.on('error', (error) => { throw error; });
    await client.connect();
    return client;
  };
  const [client, other] = [await connect(), await connect()];

  assert.equal(await client.rPush('list', ['a', 'b', 'c', 'b']), 4);
  assert.deepEqual(await client.lPosCount('list', 'b', 0), [1, 3]);
  assert.equal(await client.lInsert('list', 'BEFORE', 'c', 'x'), 5);
  assert.deepEqual(await client.lRange('list', 1, -2), ['b', 'x', 'c']);
  const waiting = other.blPop(['empty', 'inbox'], 5);
  await client.lPush('inbox', 'job');
  assert.deepEqual({ ...await waiting }, { key: 'inbox', element: 'job' });
  assert.equal(await other.blPop('inbox', 0.01), null);

  await client.zAdd('rank', [{ score: 1, value: 'a' }, { score: 2.5, value: 'b' }, { score: Infinity, value: 'c' }]);
  assert.equal(await client.zScore('rank', 'b'), 2.5);
  assert.deepEqual((await client.zRangeWithScores('rank', 0, -1)).map(({ value, score }) => [value, score]),
    [['a', 1], ['b', 2.5], ['c', Infinity]]);
  assert.deepEqual(await client.zRange('rank', '(1', '+inf', { BY: 'SCORE' }), ['b', 'c']);
  assert.deepEqual(await client.zmScore('rank', ['a', 'none']), [1, null]);
  assert.equal(await client.zUnionStore('both', [{ key: 'rank', weight: 2 }, { key: 'rank', weight: 1 }]), 3);
  assert.equal(await client.zScore('both', 'b'), 7.5);
  assert.deepEqual({ ...await client.zPopMax('rank') }, { value: 'c', score: Infinity });
  assert.deepEqual({ ...await client.bzPopMin(['none', 'rank'], 1) }, { key: 'rank', value: 'a', score: 1 });

  assert.equal(await client.xGroupCreate('log', 'readers', '0', { MKSTREAM: true }), 'OK');
  const ids = [];
  for (let n = 0; n < 5; ++n) ids.push(await client.xAdd('log', '*', { n: `${n}` }));
  const read = await client.xReadGroup('readers', 'one', { key: 'log', id: '>' }, { COUNT: 3 });
  assert.deepEqual(read.log, ids.slice(0, 3).map((id, n) => [id, ['n', `${n}`]])); // a map, as RESP3 has it
  assert.equal((await client.xPending('log', 'readers')).pending, 3);
  const claimed = await client.xAutoClaim('log', 'readers', 'two', 0, '0-0', { COUNT: 2 });
  assert.deepEqual(claimed.messages.map(({ id }) => id), ids.slice(0, 2));
  assert.equal(await client.xAck('log', 'readers', ids.slice(0, 3)), 3);
  const [group] = await client.xInfoGroups('log');
  assert.deepEqual([group.name, group.consumers, group.pending, group.lag], ['readers', 2, 0, 2]);
  const next = other.xRead({ key: 'log', id: '$' }, { BLOCK: 5000 });
  await until(async () => (await client.info('clients')).includes('blocked_clients:1'), true);
  const last = await client.xAdd('log', '*', { n: 'last' });
  assert.equal((await next).log[0][0], last);

  await client.geoAdd('shops', [{ longitude: 13.4, latitude: 52.5, member: 'Berlin' },
    { longitude: 2.35, latitude: 48.85, member: 'Paris' }]);
  assert.ok(Math.abs(await client.geoDist('shops', 'Berlin', 'Paris', 'km') - 878) < 2);
  assert.deepEqual(await client.geoSearch('shops', { longitude: 13, latitude: 52 }, { radius: 100, unit: 'km' }),
    ['Berlin']);
  await client.pfAdd('visitors', Array.from({ length: 500 }, (_, n) => `v${n}`));
  assert.ok(Math.abs(await client.pfCount('visitors') - 500) < 20);

  assert.equal(await client.functionLoad(LIBRARY, { REPLACE: true }), 'shop');
  await client.set('coats', '1');
  assert.equal(await client.fCall('reserve', { keys: ['coats'], arguments: ['1'] }), 1);
  assert.equal(await client.fCall('reserve', { keys: ['coats'], arguments: ['1'] }), 0);
  assert.deepEqual((await client.functionList())[0].library_name, 'shop');

  const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 100 });
  const caching = await connect({ clientSideCache: cache });
  await client.set('price', '10');
  for (let n = 0; n < 10; ++n) assert.equal(await caching.get('price'), '10');
  assert.deepEqual([cache.stats().missCount, cache.stats().hitCount], [1, 9]);
  await client.set('price', '11');
  await until(() => caching.get('price'), '11');
  await client.hSet('product', { name: 'coat', left: '3' });
  assert.deepEqual({ ...await caching.hGetAll('product') }, { name: 'coat', left: '3' });
  await client.hSet('product', { left: '2' });
  await until(async () => (await caching.hGetAll('product')).left, '2');
  await client.flushAll();
  await until(() => caching.get('price'), null);
  await Promise.all([client, other, caching].map((one) => one.close()));
}

await (library === 'ioredis' ? withIoredis : withNodeRedis)();
console.log('ok');
