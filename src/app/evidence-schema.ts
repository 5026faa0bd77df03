import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IngotError } from '../core/error.ts';
import type { EvidenceBundle } from '../core/evidence.ts';
import { packageRoot } from './package-root.ts';

/** The words of JSON Schema 2020-12 that schema/evidence.schema.json uses. */
interface Schema {
  readonly $ref?: string;
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** A bundle that was read from outside. Throws `report/bad-evidence` with the first place that does not fit. */
export function parseEvidence(text: string, file: string): EvidenceBundle {
  const bad = (why: string, cause?: unknown): IngotError =>
    new IngotError('report/bad-evidence', `${file} is no evidence: ${why}`, {
      hint: 'Expected what `ingot build` writes, as schema/evidence.schema.json describes it; a later version may have written more.',
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad((error as Error).message, error);
  }
  const schema = evidenceSchema();
  const misfit = findMisfit(value, schema, schema, 'the document');
  if (misfit !== undefined) throw bad(misfit);
  return value as EvidenceBundle;
}

function evidenceSchema(): Schema {
  return JSON.parse(readFileSync(join(packageRoot(), 'schema/evidence.schema.json'), 'utf8')) as Schema;
}

/** Where a value is not what the schema says, in one sentence. */
function findMisfit(value: unknown, schema: Schema, top: Schema, at: string): string | undefined {
  if (schema.$ref !== undefined) {
    const named = top.$defs?.[schema.$ref.replace('#/$defs/', '')];
    if (!named) throw new TypeError(`the schema has no ${schema.$ref}`);
    return findMisfit(value, named, top, at);
  }
  const allowed = schema.enum ?? ('const' in schema ? [schema.const] : undefined);
  if (allowed && !allowed.includes(value))
    return `${at} is ${shown(value)}; expected ${allowed.map(shown).join(', ')}`;
  if (schema.type !== undefined && !isOf(value, schema.type))
    return `${at} is ${shown(value)}; expected ${schema.type}`;
  if (schema.minimum !== undefined && (value as number) < schema.minimum)
    return `${at} is ${shown(value)}; expected ${schema.minimum} at least`;
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value as string))
    return `${at} is ${shown(value)}; expected ${schema.pattern}`;
  if (Array.isArray(value)) return first(value.entries(), at, (item) => schema.items && [item, schema.items]);
  if (schema.type !== 'object') return undefined;
  const { properties = {}, additionalProperties = true, required = [] } = schema;
  const missing = required.find((key) => !Object.hasOwn(value as object, key));
  if (missing !== undefined) return `${at} lacks ${missing}`;
  const others = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  return first(Object.entries(value as object), at, (item, key) => {
    if (Object.hasOwn(properties, key)) return [item, properties[key] as Schema];
    return others && [item, others];
  });

  function first(
    entries: Iterable<[string | number, unknown]>,
    place: string,
    schemaOf: (item: unknown, key: string) => [unknown, Schema] | undefined,
  ): string | undefined {
    for (const [key, item] of entries) {
      const pair = schemaOf(item, String(key));
      const found = pair && findMisfit(pair[0], pair[1], top, `${place} › ${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function isOf(value: unknown, type: NonNullable<Schema['type']>): boolean {
  switch (type) {
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isSafeInteger(value);
    default:
      return typeof value === type;
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
