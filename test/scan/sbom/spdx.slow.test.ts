import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { takeInventory } from '../../../src/scan/packages/inventory.ts';
import { toSpdx } from '../../../src/scan/sbom/spdx.ts';
import { manyKinds } from './many-kinds.ts';

/** SPDX's own Python library: parses the JSON and checks every rule of the specification. */
const LIBRARY = 'spdx-tools==0.8.5';
const PROGRAM = `
import sys
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
for problem in validate_full_spdx_document(parse_file(sys.argv[1]), 'SPDX-2.3'):
    print(problem.validation_message)
`;
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'spdx-'));
  const args = ['-m', 'pip', 'install', '--quiet', '--no-input', '--target', join(dir, 'library'), LIBRARY];
  execFileSync('python3', args, { stdio: ['ignore', 'ignore', 'pipe'] });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function problems(document: string): string {
  const path = join(dir, 'sbom.spdx.json');
  writeFileSync(path, document);
  const env = { ...process.env, PYTHONPATH: join(dir, 'library') };
  return execFileSync('python3', ['-c', PROGRAM, path], { encoding: 'utf8', env });
}

test('SPDX 2.3: valid in the library of the format', () => {
  const document = toSpdx(takeInventory(manyKinds()), {
    name: 'web',
    version: '1.0.0',
    epoch: 1_700_000_000,
  });
  expect(problems(document)).toBe('');
  // The library would notice.
  expect(problems(document.replace('LicenseRef-public-domain"', 'Not-A-Licence"'))).toMatch(/Not-A-Licence/);
});
