import type { AttributeSpec, BodySpec, ValueType } from '../core/body-spec.ts';
import type { Json } from '../core/digest.ts';
import type { Catalog } from './catalog.ts';
import { imageSpec } from './image-file.ts';

type Schema = Record<string, Json>;

/** Texts that formats accept. */
const FORMATS: Readonly<Record<string, string>> = {
  duration: '^([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|\\$\\{',
  size: '^[0-9]+(\\.[0-9]+)?\\s*[KMGTP]?(i?B)?$|\\$\\{',
  octal: '^0?[0-7]+$|\\$\\{',
};

/**
 * JSON Schema (draft 2020-12) of an image file in HCL's JSON form: blocks are objects, those with labels are objects
 * by label, and those that may be repeated may be lists. Made from the specs that validate image files.
 */
export function imageFileSchema(catalog: Catalog): Schema {
  const labelled = (kinds: ReadonlyMap<string, { readonly spec: BodySpec }>): Schema => ({
    type: 'object',
    properties: Object.fromEntries(
      [...kinds]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([type, { spec }]) => [type, many(bodySchema(spec))]),
    ),
    additionalProperties: false,
  });
  const own = bodySchema(imageSpec);
  const image: Schema = {
    ...own,
    properties: {
      ...(own.properties as Schema),
      output: many(labelled(catalog.formats)),
      test: many(labelled(catalog.tests)),
      disk: bodySchema(catalog.disk.spec),
      seal: bodySchema(catalog.seal.spec),
      residue: bodySchema(catalog.residue.spec),
      first_boot: bodySchema(catalog.firstBoot.spec),
      policy: bodySchema(catalog.policy.spec),
      release: bodySchema(catalog.release.spec),
    },
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Ingot image file',
    description: 'What happens around a build: version, outputs, seal, tests, release.',
    type: 'object',
    properties: {
      image: { type: 'object', description: 'Images by name.', additionalProperties: image },
    },
    additionalProperties: false,
  };
}

function bodySchema(spec: BodySpec): Schema {
  const attributes = Object.entries(spec.attributes).map(([name, a]): [string, Json] => [
    name,
    attributeSchema(a),
  ]);
  const blocks = Object.entries(spec.blocks).map(([name, b]): [string, Json] => {
    let schema: Schema = { description: b.doc, ...bodySchema(b.body) };
    for (const _ of b.labels) schema = { type: 'object', additionalProperties: schema };
    return [name, b.many ? many(schema) : schema];
  });
  const required = [...Object.entries(spec.attributes), ...Object.entries(spec.blocks)]
    .filter(([, part]) => part.required)
    .map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries([...attributes, ...blocks]),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

/** One, or a list of them. */
function many(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'array', items: schema }] };
}

function attributeSchema(spec: AttributeSpec): Schema {
  const format = spec.format === undefined ? undefined : FORMATS[spec.format];
  const choices = spec.oneOf as readonly Json[] | undefined;
  return {
    description: spec.doc,
    ...typeSchema(spec.type),
    ...(format !== undefined && { pattern: format }),
    // An expression of HCL may stand for any value.
    ...(choices && { anyOf: [{ enum: choices }, { type: 'string', pattern: '\\$\\{' }] }),
    ...(spec.default !== undefined && spec.format === undefined && { default: spec.default as Json }),
    ...(spec.deprecated !== undefined && { deprecated: true }),
  };
}

/** Numbers and booleans may be given as text, and as expressions. */
function typeSchema(type: ValueType): Schema {
  if (type === 'string') return { type: 'string' };
  if (type === 'number') return { type: ['number', 'string'] };
  if (type === 'bool') return { type: ['boolean', 'string'] };
  if (type === 'any') return {};
  if ('list' in type) return { type: ['array', 'string'], items: typeSchema(type.list) };
  if ('set' in type) return { type: ['array', 'string'], items: typeSchema(type.set), uniqueItems: true };
  if ('map' in type) return { type: ['object', 'string'], additionalProperties: typeSchema(type.map) };
  const properties = Object.entries(type.object).map(([name, t]): [string, Json] => [name, typeSchema(t)]);
  return { type: ['object', 'string'], properties: Object.fromEntries(properties) };
}
