import { bash } from './bash.ts';
import { fish } from './fish.ts';
import type { CompletedCommand } from './model.ts';
import { zsh } from './zsh.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;

/** A completion script for a shell. Only for the names of releases it asks Ingot; all else is in it. */
export function completionScript(shell: (typeof shells)[number], verbs: readonly CompletedCommand[]): string {
  return { bash, zsh, fish }[shell](verbs);
}
