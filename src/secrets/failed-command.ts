import { IngotError } from '../core/error.ts';
import type { CommandResult } from './provider.ts';

/** A command that was to write a secret has failed: the last line of what it complained of. */
export function failedCommand(command: string, { exitCode, stderr }: CommandResult): IngotError {
  const [said = ''] = stderr.trim().split('\n').slice(-1);
  const told = said === '' ? '' : `: ${said.slice(0, 300)}`;
  return new IngotError(
    'secrets/bad-answer',
    `the command ${command} ended with exit code ${exitCode}${told}`,
    { hint: 'Run it by hand to see why.' },
  );
}
