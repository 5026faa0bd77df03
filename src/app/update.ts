import { hasErrors } from '../core/diagnostic.ts';
import type { Lock, LockedApt } from '../core/lock.ts';
import type { OutdatedInput } from '../core/plugin.ts';
import { outdatedInputs } from '../plan/build-plan.ts';
import { formatLock, parseLock, writeLock } from '../plan/lock-file.ts';
import { catalog } from './catalog.ts';
import { load, loadPlan, planOrThrow, throwDiagnostics, type TemplateOptions } from './load.ts';
import { type Deps, openSession } from './session.ts';

/** One package that a new lock changes. */
export interface Move {
  readonly entry: string;
  readonly name: string;
  readonly from?: string;
  readonly to?: string;
}

export interface UpdateReport {
  readonly lockPath: string;
  readonly changed: boolean;
  readonly moves: readonly Move[];
}

/** `ingot update`: resolves every input anew and writes the lock (not with `dryRun`). */
export async function update(
  options: TemplateOptions & { dryRun?: boolean },
  deps: Deps,
): Promise<UpdateReport> {
  const session = openSession(deps);
  const planned = await loadPlan({ ...options, mode: 'update' }, catalog, session);
  planOrThrow(planned, session);
  const changed = formatLock(planned.lock) !== planned.lockText;
  if (changed && !options.dryRun) await writeLock(planned.lockPath, planned.lock);
  return {
    lockPath: planned.lockPath,
    changed,
    moves: movesBetween(parseLock(planned.lockText, planned.lockPath), planned.lock),
  };
}

/** Packages that came, went or changed version between two locks. */
export function movesBetween(before: Lock, after: Lock): Move[] {
  const moves: Move[] = [];
  for (const entry of new Set([...Object.keys(before.entries), ...Object.keys(after.entries)])) {
    const from = versions(before.entries[entry] as LockedApt | undefined);
    const to = versions(after.entries[entry] as LockedApt | undefined);
    for (const name of [...new Set([...from.keys(), ...to.keys()])].sort()) {
      const old = from.get(name);
      const now = to.get(name);
      if (old === now) continue;
      moves.push({
        entry,
        name,
        ...(old !== undefined && { from: old }),
        ...(now !== undefined && { to: now }),
      });
    }
  }
  return moves;
}

function versions(entry: LockedApt | undefined): Map<string, string> {
  return new Map((entry?.packages ?? []).map((p) => [p.name, p.version]));
}

export interface OutdatedReport {
  readonly images: readonly { readonly build: string; readonly inputs: readonly OutdatedInput[] }[];
}

/** `ingot outdated`: which locked inputs have newer versions outside. Changes nothing. */
export async function outdated(options: TemplateOptions, deps: Deps): Promise<OutdatedReport> {
  const session = openSession(deps);
  const loaded = await load({ ...options, mode: 'locked' }, catalog, session);
  if (!loaded.request || hasErrors(loaded.diagnostics)) return throwDiagnostics(loaded);
  return { images: await outdatedInputs(loaded.request) };
}
