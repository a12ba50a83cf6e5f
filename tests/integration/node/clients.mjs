// clients.mjs PORT ioredis|redis-4: what a Node service does with its client. Prints "ok".
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const [port, library] = [Number(process.argv[2]), process.argv[3]];
// The packages are in a cache folder outside of the repository: see test_node.py.
const require = createRequire(`${process.env.CLOAKROOM_NODE_MODULES}/`);

const script = "redis.call('SET', KEYS[1], ARGV[1]) return {KEYS[1], redis.call('GET', KEYS[1])}";

async function withIoredis() {
  const Redis = require('ioredis');
  const redis = new Redis({ port, db: 3, connectionName: 'node', enableAutoPipelining: true });
  assert.equal(await redis.set('key', 'värde', 'EX', 60), 'OK');
  assert.equal(await redis.get('key'), 'värde');
  const many = await Promise.all(Array.from({ length: 2000 }, (_, n) => redis.incrby('sum', n)));
  assert.equal(many.at(-1), 1999000);
  await redis.hset('hash', { a: '1', b: '2' });
  assert.deepEqual(await redis.hgetall('hash'), { a: '1', b: '2' });
  const results = await redis.pipeline().set('p', 1).incr('hash').get('p').exec();
  assert.match(results[1][0].message, /^WRONGTYPE /);
  assert.equal(results[2][1], '1');
  assert.deepEqual(await redis.multi().incr('n').incr('n').exec(), [[null, 1], [null, 2]]);
  redis.defineCommand('remember', { numberOfKeys: 1, lua: script });
  assert.deepEqual(await redis.remember('k', 'v'), ['k', 'v']);
  await redis.script('FLUSH');
  assert.deepEqual(await redis.remember('k', 'w'), ['k', 'w']);
  const buffer = Buffer.from([0, 255, 13, 10]);
  await redis.set('buffer', buffer);
  assert.deepEqual(await redis.getBuffer('buffer'), buffer);

  const subscriber = redis.duplicate();
  const message = new Promise((resolve) => subscriber.once('message', (...all) => resolve(all)));
  await subscriber.subscribe('news');
  assert.equal(await redis.publish('news', 'open'), 1);
  assert.deepEqual(await message, ['news', 'open']);
  const seen = new Set();
  for await (const page of redis.scanStream({ count: 10 })) page.forEach((key) => seen.add(key));
  assert.ok(seen.has('hash') && seen.has('sum'));
  await subscriber.quit();
  await redis.quit();
}

async function withNodeRedis() {
  const { createClient } = require('redis-4');
  const client = createClient({ socket: { port, host: '127.0.0.1' }, database: 3, name: 'node' });
  client.on('error', (error) => { throw error; });
  await client.connect();
  assert.equal(await client.set('key', 'värde', { EX: 60, NX: true }), 'OK');
  assert.equal(await client.set('key', 'other', { NX: true }), null);
  const many = await Promise.all(Array.from({ length: 2000 }, (_, n) => client.incrBy('sum', n)));
  assert.equal(many.at(-1), 1999000);
  await client.hSet('hash', { a: '1', b: '2' });
  assert.deepEqual({ ...(await client.hGetAll('hash')) }, { a: '1', b: '2' });
  assert.deepEqual(await client.multi().incr('n').incr('n').exec(), [1, 2]);
  await assert.rejects(client.incr('hash'), /^(Error|.*): ?WRONGTYPE|WRONGTYPE/);
  await client.watch('n');
  await client.executeIsolated((other) => other.incr('n'));
  await assert.rejects(client.multi().incr('n').exec());
  assert.deepEqual(await client.eval(script, { keys: ['k'], arguments: ['v'] }), ['k', 'v']);
  const sha = await client.scriptLoad(script);
  assert.deepEqual(await client.evalSha(sha, { keys: ['k'], arguments: ['w'] }), ['k', 'w']);
  await assert.rejects(client.evalSha('0'.repeat(40)), /NOSCRIPT/);

  const subscriber = client.duplicate();
  await subscriber.connect();
  const message = new Promise((resolve) => {
    subscriber.pSubscribe('ne*', (text, channel) => resolve([channel, text]));
  });
  while ((await client.publish('news', 'open')) === 0);
  assert.deepEqual(await message, ['news', 'open']);
  const seen = new Set();
  for await (const key of client.scanIterator({ COUNT: 10 })) seen.add(key);
  assert.ok(seen.has('hash') && seen.has('sum'));
  await subscriber.quit();
  await client.quit();
}

await (library === 'ioredis' ? withIoredis : withNodeRedis)();
console.log('ok');
