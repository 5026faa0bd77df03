import { Ajv, type ErrorObject } from 'ajv';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { suggestion } from '../../template/nearest.ts';
import { NETWORK_FORMATS } from './network-formats.ts';
import type { YamlText } from './read-yaml.ts';

export type Schema = Readonly<Record<string, unknown>>;

/** A finding of a schema: where in the document, and what. */
interface Problem {
  readonly path: readonly (string | number)[];
  readonly key?: string;
  readonly message: string;
  readonly hint?: string;
}

/**
 * Checks documents against one JSON schema. cloud-init's is of draft 4, of which it uses nothing that later drafts read
 * in another way; formats are checked as Debian's cloud-init does: dates alone.
 */
export class SchemaCheck {
  readonly #validate: ReturnType<Ajv['compile']>;
  readonly #schema: Schema;

  constructor(schema: Schema) {
    const ajv = new Ajv({
      strict: false,
      validateSchema: false,
      allErrors: true,
      verbose: true,
      // Half the time to compile.
      inlineRefs: false,
      unicodeRegExp: false,
      logger: false,
      formats: { ...NETWORK_FORMATS, date: /^\d{4}-\d\d-\d\d$/, hostname: true, uri: true },
    });
    const { $schema: _draft, $id: _id, ...body } = schema;
    this.#schema = body;
    this.#validate = ajv.compile(body);
  }

  /** Findings `render/schema`, each with its place; a value itself never appears in them: it may be a secret. */
  check(yaml: YamlText): Diagnostic[] {
    if (this.#validate(yaml.value)) return [];
    const problems = summarize(this.#validate.errors ?? []);
    return problems.map(({ path, key, message, hint }) => ({
      code: 'render/schema',
      severity: 'error',
      message: `${path.length === 0 ? yaml.name : path.join('.')}: ${message}`,
      range: key === undefined ? yaml.rangeOf(path) : yaml.rangeOf([...path, key], 'key'),
      ...(hint !== undefined && { hint }),
    }));
  }

  /** Keys that a document may have at its top; empty where the schema does not tell. */
  topKeys(): ReadonlySet<string> {
    const keys = new Set<string>();
    const visit = (schema: unknown): void => {
      if (typeof schema !== 'object' || schema === null) return;
      const { properties, allOf, $ref } = schema as {
        properties?: object;
        allOf?: unknown[];
        $ref?: string;
      };
      for (const key of Object.keys(properties ?? {})) keys.add(key);
      for (const part of allOf ?? []) visit(part);
      const name = typeof $ref === 'string' ? /^#\/(\$defs|definitions)\/(.+)$/.exec($ref) : null;
      if (name)
        visit((this.#schema[name[1] as string] as Record<string, unknown> | undefined)?.[name[2] as string]);
    };
    visit(this.#schema);
    return keys;
  }
}

/** Of all that Ajv says, what helps: the deepest places of forms that were tried, each once. */
function summarize(errors: readonly ErrorObject[]): Problem[] {
  const told = errors.filter(({ keyword }) => !['anyOf', 'oneOf', 'allOf', 'if', 'not'].includes(keyword));
  const places = [...new Set(errors.map((e) => e.instancePath))].sort();
  return places.flatMap((place) => {
    const isLeaf = !places.some((other) => other.startsWith(`${place}/`));
    const here = told.filter(
      ({ instancePath, schemaPath }) =>
        instancePath === place && (isLeaf || !/\/(?:anyOf|oneOf)\//.test(schemaPath)),
    );
    if (here.length === 0 && !isLeaf) return [];
    return describe(place, here);
  });
}

function describe(place: string, errors: readonly ErrorObject[]): Problem[] {
  const path = place
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const unknown = errors.filter(({ keyword }) => keyword === 'additionalProperties');
  const rest = errors.filter(({ keyword }) => keyword !== 'additionalProperties');
  const isForm = (error: ErrorObject): boolean => /\/(?:anyOf|oneOf)\//.test(error.schemaPath);
  const types = [...new Set(rest.filter(({ keyword }) => keyword === 'type').map(typeText))];
  const others = [...new Set(rest.filter(({ keyword }) => keyword !== 'type').map(textOf))];
  const forms = rest.some(isForm) || rest.length === 0;
  const problems: Problem[] = unknownKeys(path, unknown);
  if (types.length > 0 && ((others.length === 0 && unknown.length === 0) || !forms))
    problems.push({ path, message: `expected ${types.join(' or ')}` });
  if (others.length > 0) {
    const joined = forms ? [others.join(', or ')] : others;
    problems.push(...joined.map((message) => ({ path, message })));
  }
  if (problems.length === 0) problems.push({ path, message: 'is not in one of the forms that it may have' });
  return problems;
}

function unknownKeys(path: readonly string[], errors: readonly ErrorObject[]): Problem[] {
  // In several forms, a key that one of them knows is not the mistake, unless none fits at all.
  const keys = [...new Set(errors.map(({ params }) => String(params.additionalProperty)))];
  const known = errors.flatMap(({ parentSchema }) =>
    Object.keys((parentSchema?.properties as object | undefined) ?? {}),
  );
  return keys.map((key) => {
    const hint = suggestion(key, known);
    return { path, key, message: `has the unknown key "${key}"`, ...(hint !== undefined && { hint }) };
  });
}

function typeText({ params }: ErrorObject): string {
  const { type } = params as { type: string | string[] };
  return [type].flat().join(' or ');
}

function textOf({ keyword, params, message }: ErrorObject): string {
  switch (keyword) {
    case 'enum':
      return `expected one of ${(params.allowedValues as unknown[]).map((v) => JSON.stringify(v)).join(', ')}`;
    case 'required':
      return `lacks "${params.missingProperty}"`;
    default:
      return message ?? keyword;
  }
}
