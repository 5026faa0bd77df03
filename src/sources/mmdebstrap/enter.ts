import type { Context } from '../../core/context.ts';
import { logLines } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import { forgetContainer, isNspawnChatter } from '../../machines/container/nspawn-residue.ts';
import { HANDOVER } from './scripts.ts';

let count = 0;

/**
 * Runs a script with the tree as its root, in a container without network: code of the archive runs as root
 * there and nowhere else. `handover` is writable inside. Throws `apt/configure-failed` with the last output.
 */
export async function runInTree(root: string, handover: string, script: string, ctx: Context): Promise<void> {
  const env: Record<string, string> = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    DEBIAN_FRONTEND: 'noninteractive',
    DEBCONF_NONINTERACTIVE_SEEN: 'true',
    SOURCE_DATE_EPOCH: String(ctx.epoch),
  };
  const name = `ingot-bootstrap-${process.pid}-${count++}`;
  const container = [
    '--quiet',
    '--register=no',
    '--keep-unit',
    '--settings=no',
    `--machine=${name}`,
    '--private-network',
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    '--hostname=localhost',
    '--as-pid2',
    '--console=pipe',
    `--directory=${root}`,
    `--bind=${handover}:${HANDOVER}`,
    ...Object.entries(env).map(([name, value]) => `--setenv=${name}=${value}`),
  ];
  const last: string[] = [];
  const log = logLines(ctx);
  const result = await ctx.host
    .run('systemd-nspawn', [...container, '/bin/sh', '-c', script], {
      okCodes: 'any',
      signal: ctx.signal,
      onLine: (stream, line) => {
        if (isNspawnChatter(line)) return;
        log(stream, line);
        last.push(line);
        if (last.length > 40) last.shift();
      },
    })
    .finally(() => forgetContainer(name));
  if (result.exitCode === 0) return;
  const failing = last
    .map((line) => /error processing package (\S+)/.exec(line)?.[1])
    .find((name) => name !== undefined);
  throw new IngotError(
    'apt/configure-failed',
    failing === undefined
      ? `the system could not be configured: exit code ${result.exitCode}`
      : `package ${failing} could not be configured`,
    {
      hint: 'The lines below say what its maintainer script missed. Packages are configured without network.',
      output: last,
    },
  );
}
