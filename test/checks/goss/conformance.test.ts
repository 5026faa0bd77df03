import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isOutputName } from '../../../src/checks/goss/outputs/output.ts';
import { comparable, runFile } from './run-file.ts';

const demanded = process.env.INGOT_CONFORMANCE;
const FOLDER = join(
  demanded ?? fileURLToPath(new URL('../../../../shared/conformance', import.meta.url)),
  'goss/',
);
const folder = existsSync(FOLDER) ? FOLDER : undefined;

test.runIf(demanded !== undefined)('the folder that INGOT_CONFORMANCE names is there', () => {
  expect(folder, FOLDER).toBeDefined();
});

/** goss's own golden outputs. The folder is no part of the project; where it is not there, nothing is shown. */
describe.skipIf(folder === undefined)(
  `golden outputs of goss${folder === undefined ? ` (skipped: ${FOLDER} is not there)` : ''}`,
  () => {
    const goldens = readdirSync(folder ?? '.').flatMap((name) => {
      const match = /^out_(.+)\.(\d+)\.([a-z]+)$/.exec(name);
      return match ? [{ name, input: match[1] ?? '', code: Number(match[2]), format: match[3] ?? '' }] : [];
    });

    test('are there', () => expect(goldens.length).toBeGreaterThan(0));

    test.each(goldens)('$name', async ({ name, input, code, format }) => {
      if (!isOutputName(format)) throw new Error(`unknown format ${format}`);
      const output = await runFile(`${folder}${input}.yaml`, format);
      expect(comparable(output.text)).toBe(comparable(readFileSync(`${folder}${name}`, 'utf8')));
      expect(output.exitCode).toBe(code);
    });
  },
);
