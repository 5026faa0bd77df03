import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { expandText } from '../../src/secrets/expand.ts';
import type { ReferenceKind } from '../../src/secrets/reference.ts';
import { conformanceFolder } from './packer-cases.ts';

interface Case {
  readonly name: string;
  /** Empty: all kinds. */
  readonly only: readonly ReferenceKind[];
  readonly input: string;
  readonly expected: string;
}

const packer = conformanceFolder();
const file = packer && join(dirname(packer), 'vals/expand.json');

if (!file || !existsSync(file)) {
  test.skip("vals' own cases (skipped: ../shared/conformance/vals is not there)", () => {});
} else {
  const cases = JSON.parse(readFileSync(file, 'utf8')) as Case[];

  test.each(cases)('$name: $input', async ({ only, input, expected }) => {
    const value = await expandText(input, {
      ...(only.length > 0 && { kinds: only }),
      lookup: async ({ backend, host, urlPath }) => `${backend}-${host}-${urlPath}`,
    });
    expect(value).toBe(expected);
  });
}
