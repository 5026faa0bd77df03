import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { expect, test } from 'vitest';
import { takeInventory } from '../../../src/scan/packages/inventory.ts';
import { toCycloneDx } from '../../../src/scan/sbom/cyclonedx.ts';
import { manyKinds } from './many-kinds.ts';

const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
const document = toCycloneDx(takeInventory(manyKinds()), {
  name: 'web',
  version: '1.0.0',
  epoch: 1_700_000_000,
});

test('CycloneDX: strictly valid under the JSON schema of 1.6, in the library of the format', async () => {
  expect(await validator.validate(document)).toBeNull();
});

test('the validator would notice', async () => {
  const broken = document.replace('"type": "application"', '"type": "thing"');
  expect(broken).not.toBe(document);
  expect(await validator.validate(broken)).not.toBeNull();
});
