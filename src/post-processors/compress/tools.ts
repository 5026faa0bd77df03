import { availableParallelism } from 'node:os';
import type { Readable } from 'node:stream';
import type { Context } from '../../core/context.ts';

/** Programs that compress standard input to standard output, with our level, 0 to 9, as theirs. */
const TOOLS = {
  // zstd's levels go from 1 to 19.
  zstd: (level: number) => ['-q', '-c', `-${Math.max(1, level * 2)}`],
  lz4: (level: number) => ['-q', '-c', `-${Math.max(1, level)}`],
  bzip2: (level: number) => ['-q', '-c', `-${Math.max(1, level)}`],
  // With one thread xz writes other bytes than with several.
  xz: (level: number) => ['-q', '-c', `-${level}`, `-T${Math.max(2, availableParallelism())}`],
} as const;

export type Tool = keyof typeof TOOLS;

/** Compresses `source` into the file `target` by a program of the system. */
export async function compressBy(
  tool: Tool,
  source: Readable,
  target: string,
  level: number,
  { host, signal }: Context,
): Promise<void> {
  const args = [host.requireTool(tool), ...TOOLS[tool](level)];
  await host.run('sh', ['-c', 'to=$1; shift; exec "$@" > "$to"', 'sh', target, ...args], {
    input: source,
    signal,
  });
}
