import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { catalog } from '../../src/app/catalog.ts';
import { packageRoot } from '../../src/app/package-root.ts';
import { imageFileSchema } from '../../src/plan/image-schema.ts';

const path = join(packageRoot(), 'schema/ingot.schema.json');
const schema = imageFileSchema(catalog);
if (process.env.INGOT_WRITE_SCHEMA) writeFileSync(path, `${JSON.stringify(schema, undefined, 2)}\n`);

test('schema/ingot.schema.json is what the specs say (INGOT_WRITE_SCHEMA=1 writes it anew)', () => {
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(schema);
});

test('it knows every output and test, and every key of them with its words', () => {
  const image = (schema as any).properties.image.additionalProperties;
  const types = (kind: string): string[] => Object.keys(image.properties[kind].anyOf[0].properties);
  expect(types('output')).toEqual([...catalog.formats.keys()].sort());
  expect(types('test')).toEqual([...catalog.tests.keys()].sort());
  for (const [name, { spec }] of catalog.formats) {
    const body = image.properties.output.anyOf[0].properties[name].anyOf[0];
    expect(Object.keys(body.properties)).toEqual([
      ...Object.keys(spec.attributes),
      ...Object.keys(spec.blocks),
    ]);
    for (const key of Object.keys(spec.attributes)) expect(body.properties[key].description).not.toBe('');
  }
});
