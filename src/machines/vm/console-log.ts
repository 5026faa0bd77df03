import { open } from 'node:fs/promises';

/** Most bytes of a console's end that are looked at. */
const TAIL_BYTES = 32 * 1024;

/** The last lines of a serial console, without the codes that steer a terminal. */
export async function consoleTail(path: string, lines = 20): Promise<string[]> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return [];
  await using log = file;
  const { size } = await log.stat();
  const from = Math.max(0, size - TAIL_BYTES);
  const buffer = Buffer.alloc(size - from);
  await log.read(buffer, 0, buffer.length, from);
  return cleanLines(buffer.toString('utf8')).slice(-lines);
}

/** Lines of a terminal's text (ECMA-48: control sequences) that say something. */
export function cleanLines(text: string): string[] {
  return text
    .replace(/[^\P{Cc}\r\n]\[[0-9;?]*[ -/]*[@-~]/gu, '')
    .split(/\r?\n|\r/)
    .map((line) => line.replace(/\p{Cc}/gu, '').trimEnd())
    .filter((line) => line !== '');
}

/** Why a machine whose console ends like this will never answer; undefined where nothing is wrong yet. */
export function deathOf(lines: readonly string[]): string | undefined {
  const line = lines.find((l) =>
    /CPU does not support x86-64-v\d|Kernel panic - not syncing|No bootable device|Boot failed: not a bootable disk|ALERT!.* does not exist/.test(
      l,
    ),
  );
  return line?.replace(/^\[[\s\d.]+\]\s*/, '').trim();
}
