import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runImage } from '../../src/engine/run-image.ts';
import { fakeEnvironment, MemoryCache, samplePlan } from './fake-rooms.ts';

let cache: MemoryCache;
beforeEach(() => {
  cache = new MemoryCache();
});
afterEach(() => cache.clean());

/** Fails the first time that it is asked for a provisioner. */
class FailsOnce extends Set<string> {
  override has(label: string): boolean {
    return this.delete(label);
  }
}

describe('builds of one run that begin alike', () => {
  test('make the steps that they share once', async () => {
    const fake = fakeEnvironment(cache);
    const env = fake.env();
    const reports = await Promise.all([0, 1].map((edit) => runImage(samplePlan(cache.dir, edit), env)));
    const made = fake.calls.filter((c) => /^(start|provision)/.test(c));
    expect(made.toSorted()).toEqual([
      'provision p0',
      'provision p1',
      'provision p1',
      'start first',
      'start on 2',
    ]);
    expect(reports.map((r) => r.steps)).toEqual([
      { total: 9, ran: 9, cached: 0 },
      { total: 9, ran: 7, cached: 2 },
    ]);
    const waits = fake.events.flatMap((e) => (e.type === 'step:log' ? [e.line] : []));
    expect(waits).toEqual(['source waits: another build makes it', 'p0 waits: another build makes it']);
    expect(fake.living.size).toBe(0);
  });

  test('with --force, too: what this run has made is as new as can be', async () => {
    const fake = fakeEnvironment(cache);
    const env = { ...fake.env(), force: true };
    await Promise.all([0, 1].map((edit) => runImage(samplePlan(cache.dir, edit), env)));
    expect(fake.calls.filter((c) => c === 'provision p0')).toHaveLength(1);
  });

  test('where one fails at a step, the other makes it', async () => {
    const fake = fakeEnvironment(cache, { failing: new FailsOnce(['p0']) });
    const env = fake.env();
    const [first, second] = await Promise.allSettled(
      [0, 1].map((edit) => runImage(samplePlan(cache.dir, edit), env)),
    );
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'fake/failed' } });
    expect(second).toMatchObject({ status: 'fulfilled', value: { status: 'done' } });
    expect(fake.calls.filter((c) => c === 'provision p0')).toHaveLength(2);
  });

  test('waiting ends when the build is stopped', async () => {
    const stop = new AbortController();
    const fake = fakeEnvironment(cache);
    const env = { ...fake.env(), signal: stop.signal };
    const plan = samplePlan(cache.dir);
    const source = plan.steps[0]?.id as never;
    let end = (_made: boolean): void => {};
    const others = env.flights.make(source, () => new Promise((resolve) => (end = resolve)));
    const run = runImage(plan, env);
    setImmediate(() => stop.abort(new Error('stopped')));
    await expect(run).rejects.toThrow('stopped');
    expect(fake.calls).toEqual([]);
    end(false);
    await others;
  });
});

test('a build that comes second with a layer goes on upon the first one, and keeps no memory of its own', async () => {
  const plan = samplePlan(cache.dir);
  const p0 = plan.steps[1]?.id as never;
  const fake = fakeEnvironment(cache, { keepsMemory: true });
  const env = fake.env();
  const stage = cache.stage.bind(cache);
  cache.stage = async (id) => {
    // Another process makes this very layer meanwhile.
    if (id === p0)
      await (await stage(id)).commit({
        kind: 'overlay',
        parents: [plan.steps[0]?.id as never],
        result: 'theirs',
      });
    return await stage(id);
  };
  await runImage(plan, env);
  expect(fake.calls.filter((c) => c.startsWith('start'))).toEqual(['start first', 'start on 2']);
  expect(cache.layers.get(p0)?.result).toBe('theirs');
  const memories = [...cache.layers.values()].filter((l) => l.kind === 'vm-state');
  expect(memories.flatMap((l) => l.parents)).not.toEqual([]);
  expect(memories.filter((l) => l.parents.at(-1) === p0)).toEqual([]);
});
