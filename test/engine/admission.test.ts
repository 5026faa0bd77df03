import { describe, expect, test } from 'vitest';
import { type Budget, runAdmitted, type Shortage } from '../../src/engine/admission.ts';

interface Item {
  readonly name: string;
  readonly memory: number;
  readonly cpus: number;
}
const item = (name: string, memory: number, cpus: number): Item => ({ name, memory, cpus });
const ROOM: Budget = { builds: 9, memory: 10, cpus: 4 };

/** Runs items that end when the test says so, and writes down what happens. */
function run(items: readonly Item[], budget: Budget, failing: readonly string[] = []) {
  const log: string[] = [];
  const ends = new Map<string, () => void>();
  let stopped = false;
  const ended = runAdmitted(items, budget, {
    needs: (i) => i,
    work: async ({ name }) => {
      log.push(`+${name}`);
      await new Promise<void>((done) => ends.set(name, done));
      if (failing.includes(name)) throw new Error(`${name} failed`);
      return name;
    },
    onWait: ({ name }, shortage: Shortage) => void log.push(`${name} waits for ${shortage.for}`),
    stopped: () => stopped,
  });
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await new Promise((done) => setImmediate(done));
  };
  return { log, end, ended, stop: () => void (stopped = true) };
}

describe('builds side by side', () => {
  test('as many as are allowed at once, the rest in their order', async () => {
    const { log, end, ended } = run(
      ['a', 'b', 'c', 'd'].map((n) => item(n, 0, 0)),
      { ...ROOM, builds: 2 },
    );
    expect(log).toEqual(['+a', '+b', 'c waits for builds', 'd waits for builds']);
    await end('b');
    await end('a');
    expect(log.slice(4)).toEqual(['+c', '+d']);
    await end('c');
    await end('d');
    expect((await ended).map((r) => r?.status)).toEqual(Array(4).fill('fulfilled'));
  });

  test('as far as memory and processors go; a smaller one may overtake', async () => {
    const { log, end, ended } = run(
      [item('a', 6, 1), item('b', 5, 1), item('c', 4, 1), item('d', 0, 3), item('e', 0, 0)],
      ROOM,
    );
    expect(log).toEqual(['+a', 'b waits for memory', '+c', 'd waits for cpus', '+e']);
    await end('a');
    expect(log.slice(5)).toEqual(['+b']);
    for (const name of ['b', 'c', 'd', 'e']) await end(name);
    expect(log.slice(6)).toEqual(['+d']);
    expect(await ended).toHaveLength(5);
  });

  test('one that needs more than there is runs alone', async () => {
    const { log, end, ended } = run([item('a', 99, 9), item('b', 1, 1)], ROOM);
    expect(log).toEqual(['+a', 'b waits for memory']);
    await end('a');
    await end('b');
    await ended;
    expect(log.at(-1)).toBe('+b');
  });

  test('the failure of one ends no other', async () => {
    const { end, ended } = run([item('a', 0, 0), item('b', 0, 0)], { ...ROOM, builds: 1 }, ['a']);
    await end('a');
    await end('b');
    expect((await ended).map((r) => r?.status)).toEqual(['rejected', 'fulfilled']);
  });

  test('once stopped, nothing is begun', async () => {
    const { log, end, ended, stop } = run([item('a', 0, 0), item('b', 0, 0)], { ...ROOM, builds: 1 });
    stop();
    await end('a');
    expect((await ended).map((r) => r?.status)).toEqual(['fulfilled', undefined]);
    expect(log).toEqual(['+a', 'b waits for builds']);
  });

  test('nothing to do ends at once', async () => {
    const { ended } = run([], ROOM);
    expect(await ended).toEqual([]);
  });
});
