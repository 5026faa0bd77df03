import type { BootCaseResult } from './result.ts';

/** What booted clones of one image have in common, though each machine must have its own. */
export interface CloneResult {
  /** What was compared, such as `/etc/machine-id`; what only one clone has is not. */
  readonly compared: readonly string[];
  /** A sentence for each that is equal. */
  readonly equal: readonly string[];
}

/**
 * Compares what identifies a machine among all boots of an image that reported. undefined: fewer than two did, and nothing
 * was compared.
 */
export function compareClones(cases: readonly BootCaseResult[]): CloneResult | undefined {
  const clones = cases.flatMap(({ name, report }) =>
    report ? [{ name, identity: identityOf(report) }] : [],
  );
  if (clones.length < 2) return undefined;
  const compared = new Set<string>();
  const equal: string[] = [];
  for (const [i, one] of clones.entries()) {
    for (const other of clones.slice(i + 1)) {
      for (const [what, value] of one.identity) {
        const theirs = other.identity.get(what);
        if (theirs === undefined) continue;
        compared.add(what);
        if (theirs === value)
          equal.push(
            `${what} is the same in the boots "${one.name}" and "${other.name}": it is baked into the image`,
          );
      }
    }
  }
  return { compared: [...compared].sort(), equal };
}

function identityOf(report: NonNullable<BootCaseResult['report']>): ReadonlyMap<string, string> {
  const identity = new Map([['/etc/machine-id', report.machineId], ...Object.entries(report.identity)]);
  for (const key of report.sshKeys ?? []) {
    // `256 SHA256:… root@host (ED25519)`
    const [, fingerprint, kind] = /^\d+ (\S+) .*\((\S+)\)$/.exec(key) ?? [];
    if (fingerprint !== undefined) identity.set(`the SSH host key of type ${kind}`, fingerprint);
  }
  return identity;
}
