import type { Diagnostic } from '../../core/diagnostic.ts';
import { error } from '../diagnostics.ts';
import { unknownBuild } from '../eval/build-namespace.ts';
import { type EvalScope, namespaceOf, withVariables } from '../eval/scope.ts';
import type { Services } from '../functions/services.ts';
import type { HclBlock, HclBody } from '../hcl/ast.ts';
import { emptyBody, withoutAttributes } from '../hcl/body.ts';
import type { JsonNode } from '../json/json-node.ts';
import { bodyOfNode, type JsonSource } from '../json/parse-json-body.ts';
import { parseJson } from '../json/parse-json.ts';
import { suggestion } from '../nearest.ts';
import type { AssignmentSources } from '../packer/assignments.ts';
import type { BuildBlock, SourceUse } from '../packer/builds.ts';
import { type PostProcessorBlock, readPostProcessor } from '../packer/post-processors.ts';
import { type ProvisionerBlock, readProvisioner } from '../packer/provisioners.ts';
import { PACKER_VERSION, parseConstraint, satisfies } from '../packer/version.ts';
import { NULL, object, string } from '../value/value.ts';
import { checkNames } from './names.ts';
import { literal, stringReader } from './string-reader.ts';
import { type LegacyVariables, readLegacyVariables } from './variables.ts';

const KEYS = [
  'builders',
  'description',
  'error-cleanup-provisioner',
  'min_packer_version',
  'post-processors',
  'provisioners',
  'push',
  'sensitive-variables',
  'variables',
];

export interface LegacyOptions extends AssignmentSources {
  readonly now: Date;
  readonly root: string;
  readonly services: Services;
}

export interface LegacyTemplate {
  readonly variables: LegacyVariables;
  readonly build: BuildBlock;
  readonly scope: EvalScope;
}

/** Reads a template in Packer's legacy JSON: builders, provisioners and post-processors as one build without a name. */
export function loadLegacy(
  text: string,
  file: string,
  base: EvalScope,
  options: LegacyOptions,
  diagnostics: Diagnostic[],
): LegacyTemplate {
  const parsed = parseJson(text, file);
  diagnostics.push(...parsed.diagnostics);
  const plain: JsonSource = { text, diagnostics, templates: [], strings: literal };
  const top = parsed.node ? bodyOfNode(parsed.node, plain) : emptyBody(file);
  if (parsed.node) checkKeys(top, diagnostics);

  const nodeOf = (key: string): JsonNode | undefined => top.attributes.get(key)?.json?.node;
  const sensitive = new Set(
    itemsOf(nodeOf('sensitive-variables'), 'sensitive-variables', diagnostics).flatMap((n) => {
      if (n.kind === 'string') return [n.value];
      if (n.kind !== 'null') diagnostics.push(wrongKind('sensitive-variables', 'names of variables', n));
      return [];
    }),
  );
  const variablesNode = nodeOf('variables');
  if (variablesNode?.kind === 'array') diagnostics.push(wrongKind('variables', 'an object', variablesNode));
  const declared = variablesNode?.kind === 'null' ? undefined : variablesNode;
  const variables = readLegacyVariables(
    declared && bodyOfNode(declared, plain),
    sensitive,
    options,
    diagnostics,
  );
  const scope = withVariables(
    { ...base, secrets: new Map([...base.secrets, ...variables.secrets]) },
    { var: namespaceOf('variable', variables.values), build: unknownBuild(NULL) },
  );
  const source: JsonSource = {
    text,
    diagnostics,
    templates: diagnostics,
    strings: stringReader(options, variables, diagnostics),
  };
  checkVersion(nodeOf('min_packer_version'), diagnostics);
  const push = nodeOf('push');
  if (push && push.kind !== 'object' && push.kind !== 'null')
    diagnostics.push(wrongKind('push', 'an object', push));
  const uses = parsed.node ? readBuilders(nodeOf('builders'), top, source, scope) : [];
  const provisioners = itemsOf(nodeOf('provisioners'), 'provisioners', diagnostics).flatMap((node) =>
    readOne(node, 'provisioner', source, scope, readProvisioner),
  );
  const cleanupNode = nodeOf('error-cleanup-provisioner');
  const [errorCleanup] = cleanupNode
    ? readOne(cleanupNode, 'error-cleanup-provisioner', source, scope, readProvisioner)
    : [];
  const postProcessors = itemsOf(nodeOf('post-processors'), 'post-processors', diagnostics).map((node) =>
    (node.kind === 'array' ? node.items : [node]).flatMap((one) =>
      readOne(one, 'post-processor', source, scope, readPostProcessor),
    ),
  );
  checkNames(uses, [...provisioners, ...(errorCleanup ? [errorCleanup] : [])], postProcessors, diagnostics);
  const description = nodeOf('description');
  if (description && description.kind !== 'string' && description.kind !== 'null')
    diagnostics.push(wrongKind('description', 'string', description));
  const build: BuildBlock = {
    ...(description?.kind === 'string' && { description: description.value }),
    sources: uses,
    sourceNames: uses.map(({ type, name }) => `${type}.${name}`),
    provisioners,
    ...(errorCleanup && { errorCleanup }),
    postProcessors,
    range: top.range,
  };
  return { variables, build, scope };
}

/** A file of variables: strings in it are plain text. */
export function parseLegacyVariables(text: string, file: string, diagnostics: Diagnostic[]): HclBody {
  const { node, diagnostics: findings } = parseJson(text, file);
  diagnostics.push(...findings);
  return node ? bodyOfNode(node, { text, diagnostics, templates: [], strings: literal }) : emptyBody(file);
}

function checkKeys(top: HclBody, diagnostics: Diagnostic[]): void {
  for (const [key, { nameRange }] of top.attributes) {
    if (KEYS.includes(key) || key.startsWith('_')) continue;
    const hint = suggestion(
      key,
      KEYS,
      `A template holds: ${KEYS.join(', ')}; keys that begin with "_" are comments.`,
    );
    diagnostics.push(
      error('template/unknown-argument', `a template has no ${JSON.stringify(key)}`, nameRange, hint),
    );
  }
}

function itemsOf(node: JsonNode | undefined, name: string, diagnostics: Diagnostic[]): readonly JsonNode[] {
  if (!node || node.kind === 'null') return [];
  if (node.kind === 'array') return node.items;
  diagnostics.push(wrongKind(name, 'a list', node));
  return [];
}

function wrongKind(name: string, expected: string, { kind, range }: JsonNode): Diagnostic {
  return error('template/wrong-type', `${name}: expected ${expected}, got ${kind}`, range);
}

function checkVersion(node: JsonNode | undefined, diagnostics: Diagnostic[]): void {
  if (!node || node.kind === 'null' || (node.kind === 'string' && node.value === '')) return;
  const constraint = node.kind === 'string' ? parseConstraint(`>= ${node.value}`) : undefined;
  if (!constraint)
    diagnostics.push(
      error('template/invalid-version', 'min_packer_version must be a version such as "1.7.0"', node.range),
    );
  else if (!satisfies(PACKER_VERSION, constraint)) {
    const hint = `The language spoken here is that of Packer ${PACKER_VERSION}.`;
    diagnostics.push(
      error('template/required-version', 'the template requires a newer Packer', node.range, hint),
    );
  }
}

function readBuilders(
  node: JsonNode | undefined,
  top: HclBody,
  source: JsonSource,
  scope: EvalScope,
): SourceUse[] {
  const { diagnostics } = source;
  const uses: SourceUse[] = [];
  const items = itemsOf(node, 'builders', diagnostics);
  if (items.length === 0 && node?.kind !== 'object') {
    diagnostics.push(error('template/no-builders', 'the template has no builders', node?.range ?? top.range));
  }
  for (const item of items) {
    const found = typed(item, 'builder', source);
    if (!found) continue;
    const nameNode = found.body.attributes.get('name')?.json?.node;
    if (nameNode?.kind === 'array' || nameNode?.kind === 'object')
      diagnostics.push(wrongKind('name', 'string', nameNode));
    const name = nameNode?.kind === 'string' ? nameNode.value : found.type;
    if (uses.some((use) => use.name === name)) {
      diagnostics.push(
        error(
          'template/duplicate',
          `there is a builder "${name}" already`,
          item.range,
          'Give one of the two another "name".',
        ),
      );
      continue;
    }
    const names = object(
      new Map([
        ['type', string(found.type)],
        ['name', string(name)],
      ]),
    );
    const body = withoutAttributes(found.body, ['name']);
    uses.push({
      type: found.type,
      name,
      body,
      range: body.range,
      scope: withVariables(scope, { source: names }),
    });
  }
  return uses;
}

/** An object with a "type", or, for post-processors, the type alone as a string. */
function typed(
  node: JsonNode,
  what: string,
  source: JsonSource,
): { type: string; body: HclBody } | undefined {
  if (node.kind === 'string' && what === 'post-processor')
    return { type: node.value, body: { ...emptyBody(node.range.file), range: node.range } };
  if (node.kind !== 'object') {
    source.diagnostics.push(
      error('template/wrong-type', `a ${what} is an object with a "type"; got ${node.kind}`, node.range),
    );
    return undefined;
  }
  const body = bodyOfNode(node, source);
  const type = body.attributes.get('type')?.json?.node;
  if (type?.kind === 'string' && type.value !== '')
    return { type: type.value, body: withoutAttributes(body, ['type']) };
  source.diagnostics.push(error('template/missing-argument', `a ${what} needs a "type"`, node.range));
  return undefined;
}

type Read<T> = (block: HclBlock, scope: EvalScope, diagnostics: Diagnostic[]) => T | undefined;

function readOne<T extends ProvisionerBlock | PostProcessorBlock>(
  node: JsonNode,
  what: string,
  source: JsonSource,
  scope: EvalScope,
  read: Read<T>,
): T[] {
  const found = typed(node, what, source);
  if (!found) return [];
  const block: HclBlock = {
    type: what,
    labels: [found.type],
    labelRanges: [node.range],
    body: found.body,
    range: node.range,
  };
  const result = read(block, scope, source.diagnostics);
  return result ? [result] : [];
}
