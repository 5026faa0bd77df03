import { realpathSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { dropLease, takeLease } from './lease.ts';
import { type Run, runAlone } from './mount.ts';

/** A loop device on a stretch of a file; dispose detaches it. */
export interface Loop extends AsyncDisposable {
  /** `/dev/loop3`. */
  readonly device: string;
}

/** Attaches a loop device to `size` bytes of a file from `offset` on. */
export async function attachLoop(
  leaseDir: string,
  file: string,
  { offset, size }: { readonly offset: number; readonly size: number },
): Promise<Loop> {
  const real = realpathSync(file);
  const lease = takeLease(leaseDir, 'loop', real);
  try {
    const { stdout } = await runAlone('losetup', [
      '--find',
      '--show',
      `--offset=${offset}`,
      `--sizelimit=${size}`,
      '--',
      real,
    ]);
    const device = stdout.trim();
    return {
      device,
      async [Symbol.asyncDispose]() {
        await runAlone('losetup', ['--detach', device]);
        await detached(runAlone, device);
        dropLease(leaseDir, lease);
      },
    };
  } catch (error) {
    dropLease(leaseDir, lease);
    throw error;
  }
}

/** The kernel detaches when the last user has closed the device, and writes back what is left. */
async function detached(run: Run, device: string): Promise<void> {
  for (let attempt = 0; attempt < 250; attempt++) {
    if (!(await loops(run)).some((loop) => loop.device === device)) return;
    await delay(20);
  }
}

/** Detaches every loop device on a file. Answers whether there was one. */
export async function detachLoops(run: Run, file: string): Promise<boolean> {
  const found = (await loops(run)).filter((loop) => loop.file === file || loop.file === `${file} (deleted)`);
  for (const { device } of found) await run('losetup', ['--detach', device]);
  return found.length > 0;
}

async function loops(run: Run): Promise<{ readonly device: string; readonly file: string }[]> {
  const { stdout } = await run('losetup', ['--list', '--noheadings', '--raw', '--output=NAME,BACK-FILE']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const at = line.indexOf(' ');
      return { device: line.slice(0, at), file: unescapeHex(line.slice(at + 1)) };
    });
}

/** `--raw` writes blanks and what is not printable as \xNN. */
function unescapeHex(text: string): string {
  return Buffer.from(
    text.replace(/\\x([0-9a-f]{2})/g, (_all, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    ),
    'latin1',
  ).toString('utf8');
}
