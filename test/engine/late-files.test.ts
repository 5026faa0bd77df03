import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BuildRecord } from '../../src/engine/record.ts';
import { runImage } from '../../src/engine/run-image.ts';
import { describeFiles } from '../../src/plan/files.ts';
import { type ImagePlan, type PlannedStep, planStep } from '../../src/plan/types.ts';
import { fakeEnvironment, MemoryCache, samplePlan } from './fake-rooms.ts';

let cache: MemoryCache;
let dir: string;
beforeEach(() => {
  cache = new MemoryCache();
  dir = mkdtempSync(join(tmpdir(), 'ingot-late-'));
});
afterEach(() => {
  cache.clean();
  rmSync(dir, { recursive: true });
});

const write = (name: string, content: string): void => writeFileSync(join(dir, name), content);

/** The sample, where p1 reads `made.txt`, with a step on the host before it that may write it. */
async function planOf(late: boolean): Promise<ImagePlan> {
  const plan = samplePlan(cache.dir);
  const [source, p0, p1, ...others] = plan.steps as [PlannedStep, PlannedStep, PlannedStep, ...PlannedStep[]];
  const host = planStep({
    ...p0,
    label: 'local',
    spec: { ...p0.spec, options: 'local', inputs: [p0.id] },
    cacheable: false,
  });
  const files = await describeFiles(['made.txt'], dir).catch(() => []);
  const reader = planStep({
    ...p1,
    spec: { ...p1.spec, files },
    reads: ['made.txt'],
    after: [host.id],
    ...(late && { late: true as const }),
  });
  const moved = new Map([[p1.id, reader.id]]);
  const rest = others.map((step) => {
    const inputs = step.spec.inputs.map((id) => moved.get(id) ?? id);
    const next = planStep({ ...step, spec: { ...step.spec, inputs } });
    moved.set(step.id, next.id);
    return next;
  });
  return { ...plan, steps: [source, p0, host, reader, ...rest] };
}

async function run(content?: string, late = true, force = false) {
  const records: BuildRecord[] = [];
  const fake = fakeEnvironment(cache, {
    onProvision: (label) => void (label === 'local' && content !== undefined && write('made.txt', content)),
  });
  const env = { ...fake.env(), templateDir: dir, force, onRecord: (r: BuildRecord) => void records.push(r) };
  const report = await runImage(await planOf(late), env);
  return { ...fake, report, record: records[0] as BuildRecord };
}

const ALL = ['start first', 'snapshot', 'provision p0', 'snapshot', 'provision local', 'provision p1'];

describe('a file that the build makes', () => {
  test('the step that reads it runs again when its content is another, and what stands on it', async () => {
    const first = await run('one');
    expect(first.calls.slice(0, 6)).toEqual(ALL);
    expect((await run('one')).calls).toEqual(['start on 2', 'provision local', 'release']);
    const edited = await run('two');
    expect(edited.calls.filter((c) => c !== 'test')).toEqual([
      'start on 2',
      'provision local',
      'provision p1',
      'snapshot',
      'seal',
      'disk',
      'export raw+tar',
      'release',
    ]);
    // What was made of the first content is still there.
    expect((await run('one')).calls).toEqual(['start on 2', 'provision local', 'release']);
  });

  test('every step is told of once, and the record has the files as they were read', async () => {
    write('made.txt', 'old');
    const { events, report, record } = await run('new');
    const ended = events.flatMap((e) => (e.type === 'step:end' ? [`${e.step} ${e.status}`] : []));
    expect([...ended].sort()).toEqual([...new Set(ended)].sort());
    expect(ended).toHaveLength(10);
    expect(report.steps).toEqual({ total: 10, ran: 10, cached: 0 });
    const read = record.steps.find(({ step }) => step.label === 'p1')?.step.spec.files;
    expect(read).toEqual(await describeFiles(['made.txt'], dir));
  });

  test('with --force everything is made again', async () => {
    await run('one');
    rmSync(join(dir, 'made.txt'));
    // As `ingot build` does, which does not know of the step that reads it.
    await cache.remove((await planOf(true)).steps.map((s) => s.id));
    const { calls } = await run('one', true, true);
    expect(calls.slice(0, 6)).toEqual(ALL);
  });

  test('where no step on the host is left to wait for, nothing below a cached step is looked at', async () => {
    write('made.txt', 'one');
    const plan = await planOf(true);
    const steps = plan.steps.filter(({ label }) => label !== 'local').map((s) => ({ ...s, after: [] }));
    const build = async (): Promise<string[]> => {
      const fake = fakeEnvironment(cache);
      await runImage({ ...plan, steps }, { ...fake.env(), templateDir: dir });
      return fake.calls;
    };
    await build();
    cache.layers.delete(steps[1]?.id as never);
    expect(await build()).toEqual(['release']);
  });

  test('that fails to be made ends the build', async () => {
    const fake = fakeEnvironment(cache, { failing: new Set(['local']) });
    await expect(runImage(await planOf(true), { ...fake.env(), templateDir: dir })).rejects.toThrow(
      'told to fail',
    );
    expect(fake.calls).not.toContain('provision p1');
  });
});

describe('a file that changes while its step runs', () => {
  async function edited(edit: () => void): Promise<string[]> {
    const fake = fakeEnvironment(cache, { onProvision: (label) => void (label === 'p1' && edit()) });
    const env = { ...fake.env(), templateDir: dir };
    await expect(runImage(await planOf(false), env)).rejects.toMatchObject({
      code: 'engine/input-changed',
      message: expect.stringContaining('made.txt changed while the build ran'),
    });
    return fake.calls;
  }

  test.each([
    ['edited', () => write('made.txt', 'two')],
    ['removed', () => rmSync(join(dir, 'made.txt'))],
  ])('%s: no layer is kept, and the next build makes it', async (_, edit) => {
    write('made.txt', 'one');
    expect(await edited(edit)).not.toContain('seal');
    write('made.txt', 'one');
    const { calls } = await run(undefined, false);
    expect(calls).toContain('provision p1');
    expect(calls).not.toContain('provision p0');
  });

  test('what comes into a folder beside it is no matter', async () => {
    mkdirSync(join(dir, 'made.txt/__pycache__'), { recursive: true });
    write('made.txt/a', 'one');
    write('made.txt/__pycache__/a.pyc', 'one');
    const fake = fakeEnvironment(cache, {
      onProvision: () => {
        write('made.txt/b', 'new');
        write('made.txt/__pycache__/a.pyc', 'two');
      },
    });
    const { status } = await runImage(await planOf(false), { ...fake.env(), templateDir: dir });
    expect(status).toBe('done');
  });
});
