import { relative, resolve } from 'node:path';
import { DiagnosticsError, IngotError } from '../../core/error.ts';
import { loadGossFile } from './load.ts';
import type { GossTestOptions } from './spec.ts';
import { loadVariables } from './template/variables.ts';

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
