import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as delay } from 'node:timers/promises';
import { IngotError } from '../core/error.ts';
import { timerMs } from '../core/timer-ms.ts';
import type { Qemu } from './qemu.ts';
import { type CopyOptions, type RunContext, withCopy } from './qemu-run.ts';

/** Lines of the console that are kept for an error. */
const KEPT = 40;
/** Longest wait for a machine that was asked to switch itself off: an emulated one on a busy host needs minutes. */
const SHUTDOWN_MS = 300_000;
/** A button that is pressed before anybody listens to it is pressed again; to a system that shuts down that is nothing new. */
const PRESS_AGAIN_MS = 20_000;
/** A console line that is longer is cut. */
const LONGEST = 4096;

export interface LineOptions extends CopyOptions {
  readonly timeoutMs: number;
}

/**
 * Boots a copy of an image and answers what `find` answers to a line of its console, which came so many seconds after the
 * machine was switched on, as the first one that is not undefined. Then the copy is ended, in order where what it wrote is kept. Throws `boot/no-outcome` with the console's last lines when it ends or time is up.
 */
export async function bootUntilLine<T>(
  o: LineOptions,
  find: (line: string, seconds: number) => T | undefined,
  ctx: RunContext,
): Promise<T> {
  return await withCopy(o, ctx, async (socket, qemu) => {
    const found = await waitForLine(socket, qemu, o.timeoutMs, find);
    // What the machine wrote is kept: it must reach its disk.
    if (o.persist !== undefined) await switchOff(qemu, o.persist);
    return found;
  });
}

/** Presses the power button until the machine has gone. Throws `boot/no-shutdown`. */
export async function switchOff(
  qemu: Pick<Qemu, 'execute' | 'ended'>,
  persist: string,
  limitMs = SHUTDOWN_MS,
  againMs = PRESS_AGAIN_MS,
): Promise<void> {
  const gone = qemu.ended.then(() => 'gone' as const);
  const until = performance.now() + limitMs;
  do {
    // It may go as it is asked.
    await qemu.execute('system_powerdown').catch(() => undefined);
    const timer = new AbortController();
    const pause = delay(againMs, undefined, { signal: timer.signal }).catch(() => undefined);
    const first = await Promise.race([gone, pause]);
    timer.abort();
    if (first === 'gone') return;
  } while (performance.now() < until);
  throw new IngotError(
    'boot/no-shutdown',
    `the machine did not switch itself off within ${limitMs / 1000} s`,
    {
      hint: `It was ended: what it wrote last may not be in ${persist}. Does it heed its power button (systemd-logind, acpid)?`,
    },
  );
}

function waitForLine<T>(
  socket: Socket,
  qemu: Qemu,
  timeoutMs: number,
  find: (line: string, seconds: number) => T | undefined,
): Promise<T> {
  const lines: string[] = [];
  const decoder = new StringDecoder('utf8');
  return new Promise<T>((resolve, reject) => {
    const fail = (why: string): void => {
      const message = `the image did not say whether it is ready: ${why}`;
      const hint = 'Does its image file have a first_boot block? The last lines of its console are below.';
      reject(new IngotError('boot/no-outcome', message, { hint, output: lines }));
    };
    const timer = setTimeout(() => fail(`nothing within ${timeoutMs / 1000} s`), timerMs(timeoutMs));
    let rest = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const parts = (rest + decoder.write(chunk)).split(/[\r\n]+/);
      rest = (parts.pop() ?? '').slice(0, LONGEST);
      for (const line of parts) {
        lines.push(line);
        if (lines.length > KEPT) lines.shift();
        const found = find(line, (performance.now() - qemu.startedAt) / 1000);
        if (found === undefined) continue;
        clearTimeout(timer);
        resolve(found);
      }
    });
    void qemu.ended.then(() => {
      clearTimeout(timer);
      fail('it has switched itself off');
    });
  }).finally(() => socket.destroy());
}
