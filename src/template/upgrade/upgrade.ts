import type { Json } from '../../core/digest.ts';
import { parseDuration } from '../decode/formats.ts';
import { formatHcl } from '../hcl/format.ts';
import { BUILD_HEADER, FILE_HEADER, header, SOURCES_HEADER } from './annotations.ts';
import { amazonImages, secretsData } from './amazon-data.ts';
import { calledIn, GoCalls, quoted } from './go-calls.ts';
import { expression, writeBody } from './write-body.ts';

type JsonObject = Readonly<Record<string, Json>>;

/** A builder or other component with its settings apart from its type and name. */
export interface Component {
  readonly type: string;
  name: string;
  settings: Record<string, Json>;
}

export interface Upgraded {
  readonly text: string;
  /** Types of builders that no plugin is known for. */
  readonly unknownBuilders: readonly string[];
}

export interface UpgradeOptions {
  readonly withAnnotations: boolean;
  /** The source of the plugin that brings a type; `null` for Packer's own types, undefined for unknown ones. */
  readonly pluginSource: (type: string) => string | null | undefined;
}

/** Plain settings in front of those that every provisioner has. */
const GO_TIMES = ['pause_before', 'timeout'];

/**
 * A legacy template as HCL2, block by block in the order and form of `packer hcl2_upgrade`. Go templates in strings
 * become expressions; what has no counterpart stays, with a comment that says what to write.
 */
export function upgradeLegacy(template: JsonObject, options: UpgradeOptions): Upgraded {
  const { withAnnotations } = options;
  const calls = new GoCalls();
  const builders = componentsOf(template.builders).sort((a, b) => compare(a.type + a.name, b.type + b.name));
  const note = (text: string, otherwise = ''): string => (withAnnotations ? text : otherwise);

  const variables = writeVariables(template, calls);
  const images = amazonImages(builders, calls);
  const unknown: string[] = [];
  const sources = builders.map((builder, i) => writeSource(builder, i, calls, options, unknown)).join('');
  const build = builders.length === 0 ? '' : writeBuild(template, builders, calls);
  const secrets = secretsData(calls);
  const parts = [
    withHeader(note(header('packer')), writePacker(template, options)),
    withHeader(note(header('variables')), variables.inputs),
    withHeader(note(header('secrets')), secrets),
    withHeader(note(header('images')), images),
    writeTimes(calls, note),
    withHeader(note(header('locals')), variables.locals),
    withHeader(note(SOURCES_HEADER), sources),
    build === '' ? '' : `${note(BUILD_HEADER, '\n')}${build}`,
  ];
  return { text: note(FILE_HEADER) + formatHcl(parts.join('')), unknownBuilders: unknown };
}

function withHeader(comment: string, text: string): string {
  return text === '' ? '' : comment + text;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function componentsOf(list: Json | undefined): Component[] {
  return (Array.isArray(list) ? list : []).map((item: Json) => {
    if (typeof item === 'string') return { type: item, name: item, settings: {} };
    const { type: given, name, ...settings } = item as Record<string, Json>;
    const type = typeof given === 'string' ? given : '';
    return { type, name: typeof name === 'string' ? name : type, settings };
  });
}

/** The comment that Packer puts before a block for what could not be turned. */
export function withProblems(text: string, calls: GoCalls): string {
  const problems = calls.takeProblems();
  const [only] = problems;
  if (only === undefined) return text;
  if (problems.length === 1) return `\n# 1 error occurred upgrading the following block:\n# ${only}\n${text}`;
  const list = problems.map((problem) => `# ${problem}`).join('\n\n');
  const end = text.startsWith('\n') ? '' : '\n';
  return `\n# ${problems.length} errors occurred upgrading the following block:\n${list}${end}${text}`;
}

function writePacker(template: JsonObject, { pluginSource }: UpgradeOptions): string {
  const postProcessors = Array.isArray(template['post-processors'])
    ? (template['post-processors'] as Json[]).flat()
    : [];
  const all = [
    ...componentsOf(template.builders),
    ...componentsOf(template.provisioners),
    ...componentsOf(postProcessors),
  ];
  const wanted = new Set(all.map(({ type }) => pluginSource(type)).filter((s) => typeof s === 'string'));
  const minimum = template.min_packer_version;
  if (wanted.size === 0 && typeof minimum !== 'string') return '';
  const version = typeof minimum === 'string' ? `required_version = ${quoted(`>= ${minimum}`)}\n` : '';
  const plugins = [...wanted]
    .sort()
    .map((s) => `${s.split('/').at(-1)} = {\nsource = ${quoted(s)}\nversion = "~> 1"\n}\n`);
  const required = plugins.length === 0 ? '' : `required_plugins {\n${plugins.join('')}}\n`;
  return `packer {\n${version}${required}}\n`;
}

/** Variables that call more than `env` become locals: a variable's default must be known without evaluating others. */
function writeVariables(template: JsonObject, calls: GoCalls): { inputs: string; locals: string } {
  const declared = new Map(Object.entries((template.variables ?? {}) as JsonObject));
  const { variables: _, ...rest } = template;
  for (const name of [...usersIn(rest), ...usersIn([...declared.values()])])
    if (!declared.has(name)) declared.set(name, null);
  const sensitive = new Set(
    Array.isArray(template['sensitive-variables']) ? (template['sensitive-variables'] as Json[]) : [],
  );
  const sorted = [...declared].sort(([a], [b]) => compare(a, b));
  const isLocal = (value: Json): boolean =>
    typeof value === 'string' && [...calledIn(value).functions].some((name) => name !== 'env');
  for (const [name, value] of sorted) if (isLocal(value)) calls.locals.add(name);
  let inputs = '';
  let hidden = '';
  let open = '';
  for (const [name, value] of sorted) {
    const secret = sensitive.has(name);
    const text = value === null ? undefined : expression(textOf(value), calls);
    if (!calls.locals.has(name)) {
      const fallback = text === undefined ? '' : `default = ${text}\n`;
      const mark = secret ? 'sensitive = true\n' : '';
      inputs += `\nvariable ${quoted(name)} {\ntype = string\n${fallback}${mark}}\n`;
      calls.takeProblems();
    } else if (secret) {
      hidden += withProblems(`\nlocal ${quoted(name)} {\nsensitive = true\nexpression = ${text}\n}\n`, calls);
    } else open += `${name} = ${text}\n`;
  }
  const locals = open === '' ? '' : withProblems(`\nlocals {\n${open}}\n`, calls);
  return { inputs, locals: hidden + locals };
}

/** Defaults are strings in legacy templates, whatever JSON has. */
function textOf(value: Json): string {
  if (Array.isArray(value)) return value.map((item: Json) => textOf(item)).join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function usersIn(value: Json): string[] {
  if (typeof value === 'string') return [...calledIn(value).users];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((item: Json) => usersIn(item));
}

function writeTimes(calls: GoCalls, note: (text: string, otherwise?: string) => string): string {
  const old = (name: string): string =>
    `# The "legacy_${name}" function has been provided for backwards compatability, but we recommend switching to the timestamp and formatdate functions.\n`;
  const timestamp = `\n${note('# Stands for the function "timestamp" of Go templates\n')}locals { timestamp = regex_replace(timestamp(), "[- TZ:]", "") }\n`;
  return [
    calls.used.has('timestamp') ? timestamp : '',
    calls.used.has('isotime') ? old('isotime') : '',
    calls.used.has('strftime') ? old('strftime') : '',
  ].join('');
}

function writeSource(
  builder: Component,
  index: number,
  calls: GoCalls,
  { pluginSource }: UpgradeOptions,
  unknown: string[],
): string {
  if (pluginSource(builder.type) === undefined) unknown.push(builder.type);
  const own = builder.name === builder.type ? `autogenerated_${index + 1}` : builder.name;
  builder.name = own.trim().replaceAll(' ', '_');
  const body = writeBody(builder.settings, calls);
  return withProblems(`\nsource ${quoted(builder.type)} ${quoted(builder.name)} {\n${body}}\n`, calls);
}

function writeBuild(template: JsonObject, builders: readonly Component[], calls: GoCalls): string {
  const { description } = template;
  const about = typeof description === 'string' ? `description = ${quoted(description)}\n\n` : '';
  const names = builders.map(({ type, name }) => quoted(`source.${type}.${name}`)).join(', ');
  const provisioners = componentsOf(template.provisioners).map((p) =>
    writeProvisioner('provisioner', p, calls),
  );
  const cleanup = componentsOf(
    template['error-cleanup-provisioner'] === undefined ? [] : [template['error-cleanup-provisioner']],
  ).map((p) => writeProvisioner('error-cleanup-provisioner', p, calls));
  const chains = (
    Array.isArray(template['post-processors']) ? (template['post-processors'] as Json[]) : []
  ).map((chain) => writeChain(Array.isArray(chain) ? chain : [chain], calls));
  return `build {\n${about}sources = [${names}]\n\n${[...provisioners, ...cleanup, ...chains].join('')}}\n`;
}

function writeProvisioner(kind: string, { type, name, settings }: Component, calls: GoCalls): string {
  const { override, ...plain } = settings;
  for (const key of GO_TIMES) if (typeof plain[key] === 'string') plain[key] = goDuration(plain[key]);
  if (name !== type) plain.name = name;
  const over = override === undefined ? '' : `override = ${expression(override, calls)}\n`;
  return withProblems(`${kind} ${quoted(type)} {\n${writeBody(plain, calls)}${over}}\n\n`, calls);
}

function writeChain(chain: readonly Json[], calls: GoCalls): string {
  if (chain.length === 0) return '';
  const blocks = componentsOf(chain).map(({ type, name, settings }) => {
    const { keep_input_artifact: keep, ...plain } = settings;
    if (name !== type) plain.name = name;
    const kept = keep === undefined ? '' : `keep_input_artifact = ${expression(keep, calls)}\n`;
    return `post-processor ${quoted(type)} {\n${kept}${writeBody(plain, calls)}}\n`;
  });
  const text = blocks.length === 1 ? blocks.join('') : `post-processors {\n${blocks.join('')}}\n`;
  return withProblems(text, calls);
}

/** `90s` as Go writes it: `1m30s`. What is no duration stays as it is. */
function goDuration(text: string): string {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1000 || !Number.isInteger(ms / 1000)) return text;
  const seconds = ms / 1000;
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${h > 0 ? `${h}h` : ''}${h > 0 || m > 0 ? `${m}m` : ''}${s}s`;
}
