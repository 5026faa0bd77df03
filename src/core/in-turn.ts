/** The key of all that asks the person at the terminal. */
export const TERMINAL = 'terminal';

const last = new Map<string, Promise<unknown>>();

/**
 * Runs `work` when everything that was begun earlier under the same key has ended: builds that run side by side
 * write to one manifest.
 */
export async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = last.get(key);
  const own = (async () => {
    await before?.catch(() => undefined);
    return await work();
  })();
  last.set(key, own);
  try {
    return await own;
  } finally {
    if (last.get(key) === own) last.delete(key);
  }
}
