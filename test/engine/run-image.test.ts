import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TestSubject } from '../../src/engine/environment.ts';
import type { BuildRecord } from '../../src/engine/record.ts';
import { runImage } from '../../src/engine/run-image.ts';
import { planStep } from '../../src/plan/types.ts';
import { fakeEnvironment, MemoryCache, samplePlan } from './fake-rooms.ts';

let cache: MemoryCache;
beforeEach(() => {
  cache = new MemoryCache();
});
afterEach(() => cache.clean());

describe('runImage', () => {
  test('runs every step once, in one machine, and the outputs together', async () => {
    const fake = fakeEnvironment(cache);
    const report = await runImage(samplePlan(cache.dir), fake.env());
    expect(fake.calls.filter((c) => c !== 'test')).toEqual([
      'start first',
      'snapshot',
      'provision p0',
      'snapshot',
      'provision p1',
      'snapshot',
      'seal',
      'disk',
      'export raw+tar',
      'release',
    ]);
    expect(fake.living.size).toBe(0);
    expect(report).toMatchObject({ status: 'done', steps: { total: 9, ran: 9, cached: 0 } });
    expect(report.outputs.map((o) => o.format)).toEqual(['raw', 'tar']);
  });

  describe('what the image starts from is searched while the machine runs', () => {
    test('and the seal waits for it', async () => {
      const fake = fakeEnvironment(cache, { foundation: 'searched' });
      await runImage(samplePlan(cache.dir), fake.env());
      const { calls } = fake;
      expect(calls.indexOf('search ahead')).toBeLessThan(calls.indexOf('provision p0'));
      expect(calls.indexOf('searched')).toBe(calls.indexOf('seal') - 1);
      const edited = fakeEnvironment(cache, { foundation: 'searched' });
      await runImage(samplePlan(cache.dir, 1), edited.env());
      expect(edited.calls).not.toContain('search ahead');
    });

    test('a build that fails does not wait for it', async () => {
      const fake = fakeEnvironment(cache, { foundation: 'endless', failing: new Set(['p0']) });
      await expect(runImage(samplePlan(cache.dir), fake.env())).rejects.toThrow('told to fail');
      expect(fake.calls.at(-1)).toBe('search stopped');
      expect(fake.events.filter((e) => e.type === 'step:log')).toEqual([]);
    });

    test('what it fails at is told, and met again by the seal', async () => {
      const fake = fakeEnvironment(cache, { foundation: 'broken' });
      expect(await runImage(samplePlan(cache.dir), fake.env())).toMatchObject({ status: 'done' });
      expect(fake.events).toContainEqual({
        type: 'step:log',
        step: 'seal',
        stream: 'note',
        line: 'what the image starts from is searched later: it has no root',
      });
      expect(fake.calls).toContain('seal');
    });
  });

  test('a second run executes nothing but the release', async () => {
    await runImage(samplePlan(cache.dir), fakeEnvironment(cache).env());
    const fake = fakeEnvironment(cache);
    cache.lookups.length = 0;
    const report = await runImage(samplePlan(cache.dir), fake.env());
    expect(fake.calls).toEqual(['release']);
    expect(report.tests[0]?.outcome.passed).toBe(true);
    // Outputs and test answer for all that is below them; provisioners and seal are asked what they said.
    expect(cache.lookups).toHaveLength(6);
  });

  test('an edit of the last provisioner runs it and what stands on it, on the layers below', async () => {
    await runImage(samplePlan(cache.dir), fakeEnvironment(cache).env());
    const fake = fakeEnvironment(cache);
    await runImage(samplePlan(cache.dir, 1), fake.env());
    expect(fake.calls.filter((c) => c !== 'test')).toEqual([
      'start on 2',
      'provision p1',
      'snapshot',
      'seal',
      'disk',
      'export raw+tar',
      'release',
    ]);
  });

  test('a machine starts with the memory that was kept with its layers', async () => {
    await runImage(samplePlan(cache.dir), fakeEnvironment(cache, { keepsMemory: true }).env());
    const fake = fakeEnvironment(cache, { keepsMemory: true });
    await runImage(samplePlan(cache.dir, 1), fake.env());
    expect(fake.calls[0]).toBe('start on 2 with its memory');
    // The source's layer was cut before anything ran: there was none to keep.
    const memories = [...cache.layers.values()].filter((l) => l.kind === 'vm-state');
    expect(memories.map((l) => l.parents.length)).toEqual([2, 3, 3]);
  });

  test('a test from the cache says again what it said, and that it did not run', async () => {
    const checks = async (): Promise<unknown[]> => {
      const fake = fakeEnvironment(cache);
      await runImage(samplePlan(cache.dir), fake.env());
      return fake.events.filter((e) => e.type === 'check:result');
    };
    const check = { type: 'check:result', step: 'boot', name: 'boots', status: 'passed' };
    expect(await checks()).toEqual([check]);
    expect(await checks()).toEqual([{ ...check, cached: true }]);
  });

  test('a record is told of every build: how each step ended, also when the build did not come to its end', async () => {
    const record = async (options: Parameters<typeof fakeEnvironment>[1]): Promise<BuildRecord> => {
      const records: BuildRecord[] = [];
      const env = { ...fakeEnvironment(cache, options).env(), onRecord: (r: BuildRecord) => records.push(r) };
      await runImage(samplePlan(cache.dir), env).catch(() => undefined);
      expect(records).toHaveLength(1);
      return records[0] as BuildRecord;
    };
    const ends = ({ steps }: BuildRecord): Record<string, string> =>
      Object.fromEntries(steps.map(({ step, end }) => [step.label, end?.status ?? 'not reached']));
    const thrown = await record({ failing: new Set(['p1']) });
    expect(ends(thrown)).toMatchObject({ source: 'done', p0: 'done', p1: 'failed', seal: 'skipped' });
    expect(thrown.error).toMatchObject({ code: 'fake/failed', step: 'p1' });
    const refused = await record({ testPasses: false });
    expect(ends(refused)).toMatchObject({ p0: 'cached', raw: 'done', boot: 'failed', release: 'skipped' });
    const done = await record({});
    expect(ends(done)).toMatchObject({ seal: 'cached', raw: 'cached', boot: 'done', release: 'done' });
    expect(done.outputs.map((o) => o.fileName)).toEqual(['x.raw', 'x.tar']);
    expect(done.release?.store).toBe('memory');
    // A step began when it had not run for as long as it did.
    for (const { end } of done.steps)
      expect((end?.start ?? 0) + (end?.seconds ?? 0)).toBeLessThanOrEqual(done.seconds);
  });

  test('layers below a hit may be gone', async () => {
    const plan = samplePlan(cache.dir);
    await runImage(plan, fakeEnvironment(cache).env());
    for (const step of plan.steps)
      if (['source', 'provisioner', 'seal', 'disk'].includes(step.spec.kind)) cache.layers.delete(step.id);
    const fake = fakeEnvironment(cache);
    await runImage(plan, fake.env());
    expect(fake.calls).toEqual(['release']);
  });

  test('a chain with a hole is built again', async () => {
    const plan = samplePlan(cache.dir);
    await runImage(plan, fakeEnvironment(cache).env());
    cache.layers.delete(plan.steps[0]?.id as never);
    const fake = fakeEnvironment(cache);
    await runImage(samplePlan(cache.dir, 1), fake.env());
    expect(fake.calls).toContain('start first');
    expect(fake.calls).toContain('provision p0');
  });

  test('a failed test is a verdict: no error, no release, not cached', async () => {
    const fake = fakeEnvironment(cache, { testPasses: false });
    const report = await runImage(samplePlan(cache.dir), fake.env());
    expect(report.status).toBe('failed');
    expect(fake.calls).not.toContain('release');
    const again = fakeEnvironment(cache);
    expect((await runImage(samplePlan(cache.dir), again.env())).status).toBe('done');
    expect(again.calls).toEqual(['test', 'release']);
  });

  test('a test on other tests runs when they have ended, and is told what they answered, also that they failed', async () => {
    const plan = samplePlan(cache.dir);
    const tests = plan.steps.filter((s) => s.spec.kind === 'test');
    const [boot] = tests;
    const below = plan.steps.find((s) => s.spec.kind === 'seal');
    if (!boot || !below) throw new Error('the sample has no test');
    const { id: _, ...like } = boot;
    const policy = planStep({
      ...like,
      label: 'policy',
      spec: { ...boot.spec, type: 'policy', inputs: [below.id, ...tests.map((t) => t.id)] },
    });
    const release = plan.steps.filter((s) => s.spec.kind === 'release');
    const others = plan.steps.filter((s) => s.spec.kind !== 'release');
    const fake = fakeEnvironment(cache);
    const asked: unknown[] = [];
    const env = fake.env();
    const answer = (passed: boolean) => ({ passed, checks: [{ name: 'x', passed }], data: null });
    const rooms = {
      ...env.rooms,
      test: async (type: string, subject: TestSubject) => {
        if (type === 'policy') asked.push(subject.tests);
        return answer(type === 'policy');
      },
    };
    const steps = [...others, policy, ...release];
    expect((await runImage({ ...plan, steps }, { ...env, rooms })).status).toBe('failed');
    expect(asked).toEqual([[{ type: boot.spec.type, outcome: answer(false) }]]);
  });

  test('a failing provisioner ends the build with its step named, and the machine is gone', async () => {
    const fake = fakeEnvironment(cache, { failing: new Set(['p1']) });
    await expect(runImage(samplePlan(cache.dir), fake.env())).rejects.toMatchObject({
      code: 'fake/failed',
      step: 'p1',
    });
    expect(fake.living.size).toBe(0);
    expect(fake.calls).not.toContain('seal');
    const ends = fake.events.filter((e) => e.type === 'step:end').map((e) => `${e.step} ${e.status}`);
    expect(ends).toContain('p1 failed');
    expect(ends).toContain('release skipped');
  });

  test('what succeeded before a failure is kept', async () => {
    await runImage(samplePlan(cache.dir), fakeEnvironment(cache, { failing: new Set(['p1']) }).env()).catch(
      () => {},
    );
    const fake = fakeEnvironment(cache);
    await runImage(samplePlan(cache.dir), fake.env());
    expect(fake.calls.slice(0, 2)).toEqual(['start on 2', 'provision p1']);
  });

  test('on-error ask: retry runs the step again on a fresh machine', async () => {
    const failing = new Set(['p1']);
    const fake = fakeEnvironment(cache, { failing });
    let asked = 0;
    const env = { ...fake.env(), onFailure: async () => (asked++, failing.clear(), 'retry' as const) };
    expect((await runImage(samplePlan(cache.dir), env)).status).toBe('done');
    expect(asked).toBe(1);
    expect(fake.calls.filter((c) => c.startsWith('start'))).toEqual(['start first', 'start on 2']);
  });

  test('continue_on_error and max_retries', async () => {
    const plan = samplePlan(cache.dir);
    const steps = plan.steps.map((s) =>
      s.label === 'p1' ? { ...s, meta: { maxRetries: 2, continueOnError: true } } : s,
    );
    const fake = fakeEnvironment(cache, { failing: new Set(['p1']) });
    expect((await runImage({ ...plan, steps }, fake.env())).status).toBe('done');
    expect(fake.calls.filter((c) => c === 'provision p1')).toHaveLength(3);
  });

  test('layers are held before they are looked for', async () => {
    const order: string[] = [];
    const inner = { lease: cache.lease.bind(cache), lookup: cache.lookup.bind(cache) };
    cache.lease = async () => (order.push('lease'), await inner.lease());
    cache.lookup = async (id) => (order.push('lookup'), await inner.lookup(id));
    await runImage(samplePlan(cache.dir), fakeEnvironment(cache).env());
    expect(order.indexOf('lease')).toBeLessThan(order.indexOf('lookup'));
    expect(order.filter((what) => what === 'lease')).toHaveLength(1);
  });

  test('a build that could not give back what it took has failed', async () => {
    const fake = fakeEnvironment(cache);
    cache.lease = async () => ({
      async [Symbol.asyncDispose]() {
        throw new Error('the disk is gone');
      },
    });
    await expect(runImage(samplePlan(cache.dir), fake.env())).rejects.toThrow('the disk is gone');
    expect(fake.events.at(-1)).toMatchObject({ type: 'build:end', status: 'failed' });
  });

  test('an aborted build cancels and cleans up', async () => {
    const fake = fakeEnvironment(cache);
    const stop = new AbortController();
    const env = { ...fake.env(), signal: stop.signal };
    stop.abort(new Error('interrupted'));
    await expect(runImage(samplePlan(cache.dir), env)).rejects.toThrow('interrupted');
    expect(fake.calls).toEqual([]);
  });
});
