import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Context } from '../../src/core/context.ts';
import { LookAhead } from '../../src/engine/look-ahead.ts';

test('of a source that was tried again, both searches have ended when it is let go', async () => {
  let running = 0;
  let begun = 0;
  const searchAhead = async (): Promise<void> => {
    running++;
    await delay(begun++ === 0 ? 50 : 1);
    running--;
  };
  const ctx = { signal: new AbortController().signal, emit: () => {}, step: 'seal' } as unknown as Context;
  {
    await using ahead = new LookAhead({ searchAhead });
    ahead.begin([], {}, ctx);
    ahead.begin([], {}, ctx);
    expect(running).toBe(2);
  }
  expect(running).toBe(0);
});
