import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { Context } from '../../core/context.ts';

/**
 * Runs a program with `source` as its input. When the source fails the program is stopped, and the source's error
 * is thrown; when the program fails the source is closed.
 */
export async function feed(
  source: AsyncIterable<Uint8Array>,
  command: string,
  args: readonly string[],
  ctx: Pick<Context, 'host' | 'signal'>,
): Promise<void> {
  const failed = new AbortController();
  async function* guarded() {
    try {
      yield* source;
    } catch (error) {
      failed.abort(error);
    }
  }
  const input = Readable.from(guarded());
  const signal = AbortSignal.any([ctx.signal, failed.signal]);
  try {
    await ctx.host.run(command, args, { input, signal });
  } catch (error) {
    failed.signal.throwIfAborted();
    throw error;
  } finally {
    const closed = input.closed ? undefined : once(input, 'close');
    input.destroy();
    await closed;
  }
  failed.signal.throwIfAborted();
}
