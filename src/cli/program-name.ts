import { basename } from 'node:path';
import { ingotVersion } from '../app/package-root.ts';
import { PACKER_VERSION } from '../app/packer-version.ts';
import { ExitCode } from '../core/error.ts';

/** What we were called as: `packer` where our file is linked by that name, and then Packer's manners hold. */
export type ProgramName = 'ingot' | 'packer';

export function programName(script: string | undefined): ProgramName {
  return script !== undefined && basename(script) === 'packer' ? 'packer' : 'ingot';
}

/** What `version` prints, and, `short`, what `--version` does. */
export function versionText(name: ProgramName, short: boolean): string {
  if (name === 'ingot') return `ingot ${ingotVersion()}`;
  return short ? PACKER_VERSION : `Packer v${PACKER_VERSION}`;
}

/** Exit code for a wrong command line; `unknownVerb`: there is no such verb. */
export function usageExitCode(name: ProgramName, unknownVerb: boolean): number {
  if (name === 'ingot') return ExitCode.Usage;
  return unknownVerb ? 127 : 1;
}

/** Verbs that Packer runs on a template alone, never on the current folder by itself. */
export const NEEDS_TEMPLATE: ReadonlySet<string> = new Set(['build', 'validate', 'inspect', 'init']);
