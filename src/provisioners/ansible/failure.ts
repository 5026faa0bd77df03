import { isAbsolute, relative } from 'node:path';
import { IngotError } from '../../core/error.ts';
import type { Machine } from '../../core/machine.ts';
import type { Recap, TaskEnd } from './recap.ts';

export interface FailedRun {
  /** As in the template. */
  readonly playbook: string;
  readonly exitCode: number;
  readonly recap: Recap;
  /** Last lines of output. */
  readonly tail: readonly string[];
  /** Folder that paths are shown relative to. */
  readonly folder: string;
}

/** Why a playbook failed: task, host and message, or what Ansible itself had to say. */
export function playbookFailed(run: FailedRun, hasPython: boolean): IngotError {
  const { playbook, exitCode, recap, tail, folder } = run;
  const failure = recap.failures.at(-1);
  const why = failure
    ? `${describe(failure, folder)}: ${failure.message}`
    : (tail.find((line) => line.startsWith('ERROR!')) ?? 'no task had failed');
  return new IngotError(
    'provisioner/playbook-failed',
    `the playbook ${playbook} ended with exit code ${exitCode}: ${why}`,
    { hint: hintFor(failure, hasPython), output: tail },
  );
}

/** The second run of a playbook has changed something. */
export function notIdempotent(playbook: string, changed: readonly TaskEnd[], folder: string): IngotError {
  const tasks = changed.map((end) => describe(end, folder)).join('; ');
  return new IngotError(
    'provisioner/not-idempotent',
    `the second run of ${playbook} changed ${changed.length}; expected nothing to change: ${tasks}`,
    {
      hint: 'Say when a command changes something (`changed_when`, `creates`), or use a module in its place.',
    },
  );
}

/** Whether the modules of Ansible can run in the machine. */
export async function hasPython(machine: Machine): Promise<boolean> {
  const { exitCode } = await machine.communicator.exec(['/bin/sh', '-c', 'command -v python3 python']);
  return exitCode === 0;
}

/** `task "install nginx" on default (roles/web/tasks/main.yml:3)`; a loaded file may be named absolute. */
function describe({ task, host, path }: TaskEnd, folder: string): string {
  const shown = isAbsolute(path) && path.startsWith(`${folder}/`) ? relative(folder, path) : path;
  return `task ${JSON.stringify(task)} on ${host}${shown === '' ? '' : ` (${shown})`}`;
}

function hintFor(failure: TaskEnd | undefined, hasPython: boolean): string {
  if (!hasPython) {
    return "The image has no python3, which Ansible's modules run on: install it before, by a shell provisioner.";
  }
  if (failure && /\bsudo\b.*not found/.test(failure.message)) {
    return 'The image has no sudo: install it before, or set become_method = su.';
  }
  return failure
    ? 'Run it with extra_arguments = ["-vvv"] to see what each module got and gave.'
    : '`ansible-playbook --syntax-check` checks a playbook without a machine.';
}
