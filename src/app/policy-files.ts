import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type GossFile, loadGossFile, loadVariables } from '../checks/goss.ts';
import { isGossFile, type PolicyOptions, PRIVILEGE_LISTS } from '../policy/spec.ts';
import { readPrivilegeList } from '../policy/privilege-rules.ts';
import { packageRoot } from './package-root.ts';

/** The goss file of an entry of `hardening`: one that comes with Ingot, or the user's. Throws what loadGossFile throws. */
export function hardeningFile(name: string, templateDir: string): GossFile {
  const variables = { vars: loadVariables(undefined, undefined), env: {} };
  return loadGossFile(hardeningPath(name, templateDir), variables);
}

function hardeningPath(name: string, templateDir: string): string {
  if (isGossFile(name)) return resolve(templateDir, name);
  return join(packageRoot(), 'policies/hardening', `${name}.yaml`);
}

/** Texts of the hardening files and lists of ours that a policy names. */
export function shippedTexts(o: PolicyOptions): string[] {
  const root = packageRoot();
  const sets = o.hardening.filter((name) => !isGossFile(name));
  const texts = sets.flatMap((name) => [...hardeningFile(name, root).sources.values()]);
  return [...texts, ...listsOf(o).map(listText)];
}

/** Rules of `allow_privileged`, with lists of ours written out. */
export function privilegeRules(o: PolicyOptions): string[] {
  return (o.allow_privileged ?? []).flatMap((entry) =>
    PRIVILEGE_LISTS.includes(entry) ? readPrivilegeList(listText(entry)) : [entry],
  );
}

function listsOf(o: PolicyOptions): readonly string[] {
  return (o.allow_privileged ?? []).filter((entry) => PRIVILEGE_LISTS.includes(entry));
}

function listText(name: string): string {
  return readFileSync(join(packageRoot(), 'policies/privileged', `${name}.txt`), 'utf8');
}
