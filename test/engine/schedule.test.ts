import { describe, expect, test } from 'vitest';
import { type Digest, sha256 } from '../../src/core/digest.ts';
import { type Job, runJobs } from '../../src/engine/schedule.ts';

const id = (name: string): Digest => sha256(name);

function recorder() {
  const log: string[] = [];
  let running = 0;
  let most = 0;
  const job = (name: string, needs: string[], result: boolean | Error = true): Job => ({
    provides: [id(name)],
    needs: needs.map(id),
    run: async () => {
      log.push(`start ${name}`);
      most = Math.max(most, ++running);
      await new Promise((done) => setImmediate(done));
      running--;
      if (result instanceof Error) throw result;
      return result;
    },
    skip: () => void log.push(`skip ${name}`),
  });
  return { log, job, most: () => most };
}

describe('runJobs', () => {
  test('waits for what a job needs and runs the rest side by side', async () => {
    const r = recorder();
    expect(
      await runJobs(
        [r.job('a', []), r.job('b', ['a']), r.job('c', ['a']), r.job('d', ['b', 'c'])],
        2,
        () => {},
      ),
    ).toBe(true);
    expect(r.log).toEqual(['start a', 'start b', 'start c', 'start d']);
    expect(r.most()).toBe(2);
  });

  test('never more than the limit at once', async () => {
    const r = recorder();
    await runJobs(
      ['a', 'b', 'c', 'd', 'e'].map((n) => r.job(n, [])),
      3,
      () => {},
    );
    expect(r.most()).toBe(3);
  });

  test('a verdict of failure skips what stands on it, and nothing else', async () => {
    const r = recorder();
    expect(
      await runJobs(
        [r.job('a', [], false), r.job('b', ['a']), r.job('c', ['b']), r.job('d', [])],
        1,
        () => {},
      ),
    ).toBe(false);
    expect(r.log).toEqual(
      ['start a', 'start d', 'skip b', 'skip c'].sort((x, y) => r.log.indexOf(x) - r.log.indexOf(y)),
    );
    expect(new Set(r.log)).toEqual(new Set(['start a', 'start d', 'skip b', 'skip c']));
  });

  test('what only comes after a job runs whatever became of it', async () => {
    const r = recorder();
    const second = { ...r.job('b', []), after: [id('a')] };
    const skipped = { ...r.job('d', []), after: [id('c')] };
    const jobs = [second, skipped, r.job('c', ['a']), r.job('a', [], false)];
    expect(await runJobs(jobs, 3, () => {})).toBe(false);
    expect(r.log).toEqual(['start a', 'start b', 'skip c', 'start d']);
  });

  test('an error stops the rest, is told once and thrown', async () => {
    const r = recorder();
    let told = 0;
    const jobs = [r.job('a', [], new Error('first')), r.job('b', [], new Error('second')), r.job('c', [])];
    await expect(runJobs(jobs, 2, () => void told++)).rejects.toThrow('first');
    expect(told).toBe(1);
    expect(r.log).toEqual(['start a', 'start b', 'skip c']);
  });

  test('needs that nobody provides are met from the cache', async () => {
    const r = recorder();
    expect(await runJobs([r.job('a', ['elsewhere'])], 1, () => {})).toBe(true);
  });

  test('a circle is an error, not a hang', async () => {
    const r = recorder();
    await expect(runJobs([r.job('a', ['b']), r.job('b', ['a'])], 2, () => {})).rejects.toThrow(
      'wait for each other',
    );
  });
});
