import { relative, resolve } from 'node:path';
import { attr, bodySpec, type OptionsOf } from '../../core/body-spec.ts';
import { DiagnosticsError, IngotError } from '../../core/error.ts';
import { loadGossFile } from './load.ts';
import { loadVariables } from './template/variables.ts';

/** `test "goss" { … }` of an image file. */
export const gossTestSpec = bodySpec({
  file: attr.string('The goss file, relative to the image file.', { default: 'goss.yaml' }),
  vars: attr.string('JSON or YAML file with the variables of its templates.'),
  vars_inline: attr.string('JSON or YAML text with more variables, which win.'),
  strict: attr.bool(
    'Whether checks that assert nothing, and those that cannot be decided here, fail the test.',
    { default: false },
  ),
  boot: attr.bool('Whether a copy is booted for what the disk alone does not tell.', { default: true }),
  retry_timeout: attr.duration('How long failing checks are tried again.', { default: 0 }),
  sleep: attr.duration('Time between tries.', { default: 1000 }),
});

/** What the test reads on the host, relative to the template; see TestInfo. */
export function gossTestFiles(o: GossTestOptions, templateDir: string): readonly string[] | undefined {
  const path = (name: string): string => resolve(templateDir, name);
  const own = [o.file, ...(o.vars === undefined ? [] : [o.vars])];
  try {
    const vars = loadVariables(o.vars === undefined ? undefined : path(o.vars), o.vars_inline);
    const { files, readsOutside } = loadGossFile(path(o.file), { vars, env: process.env });
    if (readsOutside) return undefined;
    return [...new Set([...own, ...files.map((file) => relative(templateDir, file))])];
  } catch (error) {
    // The test itself tells what is wrong with them, and fails; a failed test is not kept.
    if (error instanceof DiagnosticsError || error instanceof IngotError) return own;
    throw error;
  }
}

export type GossTestOptions = OptionsOf<typeof gossTestSpec>;
