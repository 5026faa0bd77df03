import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteWord } from '../../core/shell-words.ts';
import { type QemuDisk, qemuArguments } from '../../host/qemu-command.ts';
import type { RunningVm } from './running.ts';

/** How long a machine may take to write what it holds in memory. */
const SYNC_MS = 10_000;

/**
 * Ends a machine, and leaves in `dir` a script that starts it again on its disk as it is then. Answers the command that
 * runs the script.
 */
export async function leaveVm(
  vm: RunningVm,
  disk: QemuDisk,
  dir: string,
  login: string | undefined,
): Promise<string> {
  const { command, stateDir } = vm.qemu;
  // One that does not answer any more is left as its disk is.
  await vm.session?.run('sync', { signal: AbortSignal.timeout(SYNC_MS) }).catch(() => undefined);
  await vm.session?.[Symbol.asyncDispose]();
  await vm.qemu[Symbol.asyncDispose]();
  const { monitor: _monitor, vnc: _vnc, ...hardware } = command;
  const forwards = command.forwards.map(({ guest }) => ({ guest, host: vm.port }));
  const args = [...qemuArguments({ ...hardware, disk, serial: [], forwards }), '-serial', 'mon:stdio'];
  const lines = [
    '#!/bin/sh',
    '# The machine as a failed step left it. Its console is here; Ctrl-A x ends it.',
    ...(login === undefined
      ? []
      : [`echo ${quoteWord(`When it is up, log in from elsewhere: ${login}`)} >&2`]),
    `cd ${quoteWord(stateDir)}`,
    `exec qemu-system-x86_64 ${args.map(quoteWord).join(' ')}`,
  ];
  const script = join(dir, 'look-inside');
  await writeFile(script, `${lines.join('\n')}\n`, { mode: 0o700 });
  return `sh ${quoteWord(script)}`;
}
