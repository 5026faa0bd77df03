import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hasErrors } from '../../../src/core/diagnostic.ts';
import { loadTemplate, NEEDED_TO_BUILD } from '../../../src/template/index.ts';

const root = process.env.INGOT_CONFORMANCE ?? join(import.meta.dirname, '../../../../shared/conformance');
const file = join(root, 'packer/cases.tsv');
const required = process.env.INGOT_CONFORMANCE !== undefined;

/** Cases that fail because a component type is unknown: the plan knows the types, the template does not. */
const ABOUT_TYPES = new Set([
  'testdata/build/provisioner_nonexistent.pkr.hcl',
  'testdata/datasources/nonexistent.pkr.hcl',
  'testdata/sources/nonexistent.pkr.hcl',
  'testdata/sources/nonexistent_used.pkr.hcl',
]);

interface Case {
  readonly folder: string;
  readonly verb: string;
  readonly path: string;
  readonly vars: readonly string[];
  readonly varFiles: readonly string[];
  readonly fails: boolean;
}

/** The cases that are decided by reading the template: validate, inspect and build, with their variables. */
function cases(): Case[] {
  const found: Case[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n').slice(1)) {
    const [folder, quoted = '', , , exit] = line.split('\t');
    const words: readonly string[] =
      (quoted.startsWith('"') ? quoted.slice(1, -1).replaceAll('""', '"') : quoted).match(
        /(?:[^\s{[]|\{.*\}|\[[^\]]*\])+/g,
      ) ?? [];
    const verb = words.includes('-syntax-only') ? 'syntax' : (words[0] ?? '');
    const path = words.at(-1) as string;
    if (!folder || !['validate', 'syntax', 'inspect', 'build'].includes(verb) || ABOUT_TYPES.has(path))
      continue;
    const options = words
      .slice(1, -1)
      .map((word, i, all) => (/^-var(-file)?$/.test(word) ? `${word}=${all[i + 1]}` : word));
    const values = (name: string): string[] =>
      options.flatMap((o) => (o.startsWith(`-${name}=`) ? [o.slice(name.length + 2)] : []));
    found.push({
      folder,
      verb,
      path,
      vars: values('var'),
      varFiles: values('var-file'),
      fails: exit === '1',
    });
  }
  return found;
}

if (required) test('the conformance cases are there', () => expect(existsSync(file)).toBe(true));

describe.skipIf(!existsSync(file))('Packer’s own cases', () => {
  const all = existsSync(file) ? cases() : [];

  test('are most of what the suite has', () => expect(all.length).toBeGreaterThan(90));

  test.each(all.map((c) => [`${c.verb} ${c.path}`, c] as const))(
    '%s',
    async (_, { folder, verb, path, vars, varFiles, fails }) => {
      const below = join(root, 'packer/fixtures', folder);
      const { diagnostics } = await loadTemplate({
        path: join(below, path),
        vars,
        varFiles: varFiles.map((name) => join(below, name)),
      });
      const passesOver = verb === 'syntax' || verb === 'inspect';
      const counted = diagnostics.filter((d) => !(passesOver && NEEDED_TO_BUILD.has(d.code)));
      expect([hasErrors(counted), counted]).toEqual([fails, fails ? expect.anything() : counted]);
    },
  );
});
