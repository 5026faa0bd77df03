import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareOf, sideBySide } from '../../../src/checks/boot/side-by-side.ts';

const GIB = 2 ** 30;
const never = new AbortController().signal;

describe('shareOf', () => {
  const wanted = { memory: GIB, cpus: undefined, parallel: undefined };
  const big = { cores: 64, freeMemory: 256 * GIB };

  it.each<[string, number, Partial<{ cpus: number; parallel: number }>, typeof big, [number, number]]>([
    ['two cores: two machines of one processor', 3, {}, { ...big, cores: 2 }, [2, 1]],
    ['one boot alone gets both cores', 1, {}, { ...big, cores: 2 }, [1, 2]],
    ['more cores than boots', 3, {}, { ...big, cores: 8 }, [3, 2]],
    ['one core', 3, {}, { ...big, cores: 1 }, [1, 1]],
    ['memory for one', 3, {}, { ...big, freeMemory: 2 * GIB }, [1, 2]],
    ['no memory', 3, {}, { ...big, freeMemory: 0 }, [1, 2]],
    ['processors asked for', 3, { cpus: 2 }, { ...big, cores: 4 }, [2, 2]],
    ['more processors than cores', 3, { cpus: 4 }, { ...big, cores: 2 }, [1, 4]],
    ['asked to boot one by one', 3, { parallel: 1 }, big, [1, 2]],
    ['asked for more than fits', 3, { parallel: 9 }, { cores: 2, freeMemory: 0 }, [3, 1]],
  ])('%s', (_what, boots, asked, room, [atOnce, cpus]) => {
    expect(shareOf(boots, { ...wanted, ...asked }, room)).toEqual({ atOnce, cpus });
  });
});

describe('sideBySide', () => {
  it('keeps the limit, and tells and gives results in order, whatever ends first', async () => {
    const plan = fc.tuple(
      fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 4 }),
    );
    await fc.assert(
      fc.asyncProperty(plan, async ([delays, limit]) => {
        let running = 0;
        let most = 0;
        const told: number[] = [];
        const items = delays.map((delay, index) => ({ delay, index }));
        const results = await sideBySide(
          items,
          limit,
          never,
          async ({ delay, index }) => {
            most = Math.max(most, ++running);
            for (let i = 0; i < delay; i++) await Promise.resolve();
            running--;
            return index;
          },
          (index) => told.push(index),
        );
        expect(results).toEqual([...delays.keys()]);
        expect(told).toEqual(results);
        expect(most).toBe(Math.min(limit, delays.length));
      }),
    );
  });

  it('on a failure aborts the others, begins no more, and throws the first when all have ended', async () => {
    const begun: string[] = [];
    const ended: string[] = [];
    const work = async (name: string, signal: AbortSignal): Promise<void> => {
      begun.push(name);
      if (name === 'bad') throw new Error('first');
      await new Promise((done) => signal.addEventListener('abort', done));
      await Promise.resolve();
      ended.push(name);
      throw new Error('aborted');
    };
    await expect(sideBySide(['slow', 'bad', 'never'], 2, never, work, () => {})).rejects.toThrow('first');
    expect([begun, ended]).toEqual([['slow', 'bad'], ['slow']]);
  });

  it('ends with the reason of the abort from outside', async () => {
    const user = new AbortController();
    const begun: number[] = [];
    const work = async (item: number, signal: AbortSignal): Promise<void> => {
      begun.push(item);
      if (item === 1) user.abort(new Error('ctrl-c'));
      signal.throwIfAborted();
    };
    await expect(sideBySide([1, 2, 3], 1, user.signal, work, () => {})).rejects.toThrow('ctrl-c');
    expect(begun).toEqual([1]);
  });
});
