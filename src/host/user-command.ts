import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { RunOptions, RunResult } from '../core/host.ts';
import { launch } from './process.ts';

/**
 * Runs a command as the user would: found by the user's PATH, with the user's environment plus `env`. For tools that
 * belong to the user, such as password managers; what builds use goes through Host.run.
 */
export async function runUserCommand(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const own = Object.entries(process.env).filter((e): e is [string, string] => e[1] !== undefined);
  const env = { ...Object.fromEntries(own), ...options.env };
  return await launch(findInPath(command, env.PATH ?? ''), args, { ...options, env }).ended;
}

/** The command's path; its bare name where PATH does not have it, so that the error tells it. */
export function findInPath(command: string, path: string): string {
  if (command.includes('/')) return command;
  for (const folder of path.split(delimiter).filter((f) => f.startsWith('/'))) {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return join(folder, command);
    } catch {
      // not in this folder
    }
  }
  return command;
}
