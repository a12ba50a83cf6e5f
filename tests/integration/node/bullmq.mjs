// bullmq.mjs PORT SCENARIO: queues of jobs as a shop's services have them, with BullMQ over ioredis.
// Prints "ok". Nothing here waits for a fixed time: a scenario ends when its jobs have.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';

const [port, scenario] = [Number(process.argv[2]), process.argv[3]];
const require = createRequire(`${process.env.CLOAKROOM_NODE_MODULES}/`);
const { FlowProducer, Queue, QueueEvents, UnrecoverableError, Worker } = require('bullmq');

const connection = { host: '127.0.0.1', port };
const opened = [];

function open(thing) {
  opened.push(thing);
  thing.on('error', (error) => { console.error(error); process.exit(1); });
  return thing;
}

const queueOf = (name, options) => open(new Queue(name, { connection, ...options }));
const workerOf = (name, work, options) => open(new Worker(name, work, { connection, ...options }));

async function eventsOf(name) {
  const events = open(new QueueEvents(name, { connection }));
  await events.waitUntilReady();
  return events;
}

/// Resolves when `event` has come `count` times; with what came.
function times(emitter, event, count) {
  return new Promise((resolve) => {
    const all = [];
    emitter.on(event, (...parts) => { if (all.push(parts) === count) resolve(all); });
  });
}

const scenarios = {
  // Many jobs, three workers: each job is done once, and its result is read by who added it.
  async jobs() {
    const queue = queueOf('mail', { defaultJobOptions: { removeOnComplete: false } });
    const events = await eventsOf('mail');
    const done = [];
    const work = async (job) => { done.push(job.data.n); return { twice: job.data.n * 2 }; };
    const completed = times(events, 'completed', 301);
    for (let n = 0; n < 3; ++n) workerOf('mail', work, { concurrency: 5 });
    const jobs = await queue.addBulk(
      Array.from({ length: 300 }, (_, n) => ({ name: 'send', data: { n, text: 'ä'.repeat(n) } })));
    assert.equal(new Set(jobs.map((job) => job.id)).size, 300);
    const last = await queue.add('send', { n: 300 }, { jobId: 'order-300' });
    assert.deepEqual(await last.waitUntilFinished(events), { twice: 600 });
    await completed;
    assert.deepEqual(done.sort((a, b) => a - b), Array.from({ length: 301 }, (_, n) => n));
    assert.deepEqual(await queue.getJobCounts('completed', 'failed', 'active'),
      { completed: 301, failed: 0, active: 0 });
    const found = await queue.getJob('order-300');
    assert.deepEqual([found.returnvalue, await found.getState()], [{ twice: 600 }, 'completed']);
    await queue.add('send', { n: 300 }, { jobId: 'order-300' }); // the same ID: no further job
    assert.equal(await queue.getCompletedCount(), 301);
    assert.equal((await queue.getCompleted(0, 9)).length, 10);
    assert.equal((await queue.clean(0, 100, 'completed')).length, 100);
    await queue.obliterate({ force: true });
    assert.deepEqual(await queue.getJobCounts('completed', 'failed'), { completed: 0, failed: 0 });
  },

  // A job that fails is tried again, after a growing delay, until it works or has no attempts left.
  async retry() {
    const queue = queueOf('pay');
    const events = await eventsOf('pay');
    const tries = {};
    workerOf('pay', async (job) => {
      tries[job.name] = (tries[job.name] ?? 0) + 1;
      if (job.name === 'refused') throw new UnrecoverableError('no such card');
      if (job.name === 'never' || tries[job.name] < 3) throw new Error(`try ${tries[job.name]}`);
      return 'paid';
    });
    const options = { attempts: 4, backoff: { type: 'exponential', delay: 20 } };
    const [works, never, refused] = await queue.addBulk(
      ['works', 'never', 'refused'].map((name) => ({ name, data: {}, opts: options })));
    assert.equal(await works.waitUntilFinished(events), 'paid');
    await assert.rejects(never.waitUntilFinished(events), /try 4/);
    await assert.rejects(refused.waitUntilFinished(events), /no such card/);
    assert.deepEqual(tries, { works: 3, never: 4, refused: 1 });
    const failed = await queue.getFailed();
    assert.deepEqual(failed.map((job) => job.name).sort(), ['never', 'refused']);
    assert.equal((await queue.getJob(never.id)).attemptsMade, 4);
    tries.never = -1;
    const again = times(events, 'failed', 1);
    await (await queue.getJob(refused.id)).retry();
    await again;
    assert.equal(tries.refused, 2);
  },

  // A delayed job is not begun before its time, and one with an earlier time comes first.
  async delay() {
    const queue = queueOf('remind');
    const begun = [];
    const worker = workerOf('remind', async (job) => { begun.push([job.name, Date.now()]); });
    const finished = times(worker, 'completed', 4);
    const start = Date.now();
    await queue.addBulk([['third', 300], ['second', 150], ['first', 0]].map(
      ([name, delay]) => ({ name, data: {}, opts: { delay } })));
    const far = await queue.add('far', {}, { delay: 3_600_000 });
    assert.equal(await far.getState(), 'delayed');
    assert.equal(await queue.getDelayedCount() >= 1, true);
    await far.changeDelay(400);
    await finished;
    assert.deepEqual(begun.map(([name]) => name), ['first', 'second', 'third', 'far']);
    for (const [at, delay] of [[1, 150], [2, 300], [3, 400]]) {
      const late = begun[at][1] - start - delay;
      assert.ok(late >= -2 && late < 5000, `${begun[at][0]} began ${late} ms after its time`);
    }
  },

  // Not more than so many jobs in so much time.
  async limit() {
    const queue = queueOf('call');
    const begun = [];
    const worker = workerOf('call', async () => { begun.push(Date.now()); },
      { concurrency: 10, limiter: { max: 5, duration: 300 } });
    const finished = times(worker, 'completed', 20);
    await queue.addBulk(Array.from({ length: 20 }, (_, n) => ({ name: 'call', data: { n } })));
    await finished;
    assert.equal(begun.length, 20);
    // 20 jobs need four windows, so at least three whole ones have passed.
    assert.ok(begun.at(-1) - begun[0] >= 850, `all began within ${begun.at(-1) - begun[0]} ms`);
  },

  // Of the waiting jobs the most urgent comes first; of equal ones, the one that was there first.
  async priority() {
    const queue = queueOf('print');
    const order = [];
    const urgencies = [5, 1, 3, 0, 1, 200, 3];
    for (const [n, priority] of urgencies.entries()) await queue.add(`${n}`, {}, { priority });
    await (await queue.getJobs(['prioritized'])).find((job) => job.name === '5')
      .changePriority({ priority: 2 });
    const counts = await queue.getCountsPerPriority([0, 1, 2, 3, 5]);
    assert.deepEqual(counts, { 0: 1, 1: 2, 2: 1, 3: 2, 5: 1 });
    const worker = workerOf('print', async (job) => { order.push(job.name); });
    await times(worker, 'completed', urgencies.length);
    assert.deepEqual(order, ['3', '1', '4', '5', '2', '6', '0']);
  },

  // A parent waits for its children; a paused queue begins nothing; a schedule brings jobs.
  async flow() {
    const events = await eventsOf('order');
    const flow = open(new FlowProducer({ connection }));
    const pick = queueOf('pick');
    await pick.pause();
    workerOf('pick', async (job) => job.data.item);
    workerOf('order', async (job) => Object.values(await job.getChildrenValues()).sort());
    const { job } = await flow.add({
      name: 'ship', queueName: 'order',
      children: ['coat', 'hat', 'scarf'].map((item) => ({ name: item, queueName: 'pick', data: { item } })),
    });
    assert.equal(await job.getState(), 'waiting-children');
    assert.equal(await pick.isPaused(), true);
    assert.equal((await pick.getJobCounts()).paused, 3);
    await pick.resume();
    assert.deepEqual(await job.waitUntilFinished(events), ['coat', 'hat', 'scarf']);
    assert.deepEqual((await job.getDependenciesCount()), { processed: 3, unprocessed: 0, failed: 0, ignored: 0 });

    const queue = queueOf('tick');
    const ticking = workerOf('tick', async (tick) => tick.data.n);
    const three = times(ticking, 'completed', 3);
    await queue.upsertJobScheduler('every', { every: 100 }, { name: 'tick', data: { n: 1 } });
    await three;
    assert.equal(await queue.removeJobScheduler('every'), true);
    assert.equal((await queue.getJobSchedulers()).length, 0);
  },

  // A worker is lost in the middle of a job: another one gets the job when the lock has expired.
  async stalled() {
    const queue = queueOf('pack');
    const options = { lockDuration: 200, stalledInterval: 100, maxStalledCount: 3 };
    const begun = Promise.withResolvers?.() ?? deferred();
    const lost = workerOf('pack', () => new Promise(() => begun.resolve()), { ...options, skipLockRenewal: true });
    await queue.add('box', {});
    await begun.promise;
    await lost.close(true);
    const second = workerOf('pack', async () => 'packed', options);
    const stalled = once(second, 'stalled');
    const [job] = await once(second, 'completed');
    await stalled;
    assert.deepEqual([job.name, job.returnvalue], ['box', 'packed']);
  },
};

function deferred() {
  let resolve;
  const promise = new Promise((done) => { resolve = done; });
  return { promise, resolve };
}

await scenarios[scenario]();
await Promise.all(opened.map((thing) => thing.close()));
console.log('ok');
process.exit(0);
