import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  FORMAT_OPTIONS,
  type FormatOption,
  isOutputName,
  OUTPUTS,
} from '../../../src/checks/goss/outputs/output.ts';
import { runFile } from './run-file.ts';

const FOLDER = fileURLToPath(new URL('oracle/formats/', import.meta.url));

/** What goss 0.4.9 prints of checks.yaml: `FORMAT-OPTION-OPTION.EXITCODE.txt`, times set to nought. */
const goldens = readdirSync(FOLDER).flatMap((name) => {
  const match = /^([a-z]+)((?:-[a-z_]+)*)\.(\d)\.txt$/.exec(name);
  if (!match) return [];
  const [, format = '', options = '', code] = match;
  return [{ name, format, options: options.split('-').slice(1), code: Number(code) }];
});

const isOption = (name: string): name is FormatOption => (FORMAT_OPTIONS as readonly string[]).includes(name);

describe('prints what goss prints', () => {
  test('every format has a golden', () => {
    expect([...new Set(goldens.map(({ format }) => format))].sort()).toEqual(Object.keys(OUTPUTS).sort());
  });

  // Of prometheus but one word: goss takes for the outcome of the run that of the resource that happens to end last.
  test.each(goldens)('$name', async ({ name, format, options, code }) => {
    if (!isOutputName(format)) throw new Error(`unknown format ${format}`);
    const output = await runFile(`${FOLDER}checks.yaml`, format, { options: options.filter(isOption) });
    expect(output.text).toBe(readFileSync(`${FOLDER}${name}`, 'utf8'));
    expect(output.exitCode).toBe(code);
  });
});
