import type { Context } from '../../core/context.ts';
import type { ExecResult } from '../../core/machine.ts';
import { commandArguments, containerEnvironment, NSPAWN_ENVIRONMENT } from './nspawn.ts';
import { forgetContainer, isNspawnChatter, withoutChatter } from './nspawn-residue.ts';

let count = 0;

/** Runs one command of an image in a container on its mounted root, without a network. */
export async function runInRoot(
  dir: string,
  argv: readonly string[],
  ctx: Context,
  onLine?: (line: string) => void,
): Promise<ExecResult> {
  const settings = {
    dir,
    name: `ingot-root-${process.pid}-${count++}`,
    hostname: 'localhost',
    network: 'none' as const,
    binds: [],
  };
  const args = commandArguments(settings, argv, {}, containerEnvironment(ctx.epoch));
  try {
    const result = await ctx.host.run('systemd-nspawn', args, {
      okCodes: 'any',
      env: NSPAWN_ENVIRONMENT,
      signal: ctx.signal,
      ...(onLine && {
        onLine: (_stream, line) => {
          if (!isNspawnChatter(line)) onLine(line);
        },
      }),
    });
    return { ...result, stderr: withoutChatter(result.stderr) };
  } finally {
    await forgetContainer(settings.name);
  }
}
