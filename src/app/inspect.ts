import type { Diagnostic } from '../core/diagnostic.ts';
import {
  type BuildBlock,
  goQuote,
  loadTemplate,
  NEEDED_TO_BUILD,
  printValue,
  type Template,
} from '../template/index.ts';
import { templateInputs, type TemplateOptions } from './load.ts';
import { placeOf } from './template-place.ts';

/** One thing that `inspect` says: text for people, or a line for programs alone. */
export type Said = { readonly text: string } | { readonly type: string; readonly data: readonly string[] };

export interface Inspection {
  readonly said: readonly Said[];
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ReadonlyMap<string, string>;
}

/** `ingot inspect`: what a template consists of, in Packer's words. Nothing is checked beyond its syntax. */
export async function inspect(options: TemplateOptions): Promise<Inspection> {
  const { root } = await placeOf(options.path, undefined);
  const loaded = await loadTemplate({ ...templateInputs(options, root), unconfigured: 'unknown' });
  const diagnostics = loaded.diagnostics.filter((d) => !NEEDED_TO_BUILD.has(d.code));
  const { template, sources } = loaded;
  const said =
    template.syntax === 'legacy' ? sayLegacy(sources.get(template.files[0] ?? '')) : sayHcl(template);
  return { said, diagnostics, sources };
}

function sayHcl(template: Template): Said[] {
  const builds = template.builds.map(buildText).join('');
  return [
    { text: 'Packer Inspect: HCL2 mode\n' },
    { text: variablesText(template) },
    { text: `> builds:\n${builds}` },
  ];
}

/** Input variables and locals with their values; the console's `variables`, too. */
export function variablesText({ variables, values, locals }: Template): string {
  const known = values.data instanceof Map ? values.data : new Map();
  const inputs = variables
    .map(({ name }) => name)
    .sort()
    .map((name) => `var.${name}: ${goQuote(printValue(known.get(name)))}\n`);
  const own = [...locals]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, value }) => `local.${name}: ${goQuote(value ? printValue(value) : '<unknown>')}\n`);
  return `> input-variables:\n\n${inputs.join('')}\n> local-variables:\n\n${own.join('')}`;
}

function buildText(build: BuildBlock, index: number): string {
  const named = ({ type, name }: { type: string; name?: string }): string =>
    name === undefined ? type : `${type}.${name}`;
  const list = (items: readonly string[], none: string): string =>
    items.length === 0 ? `      <no ${none}>\n` : items.join('');
  const description = build.description ? `\n  > Description: ${build.description}\n` : '';
  const sources = build.sourceNames.map((name) => `      ${name}\n`);
  const provisioners = build.provisioners.map((p) => `      ${named(p)}\n`);
  const chains = build.postProcessors.map(
    (chain, i) => `      ${i}:\n${chain.map((p) => `        ${named(p)}\n`).join('')}`,
  );
  return [
    `\n  > ${build.name ?? `<unnamed build ${index}>`}:\n`,
    description,
    `\n    sources:\n\n${sources.length === 0 ? '      <no source>\n' : sources.join('\n')}`,
    `\n    provisioners:\n\n${list(provisioners, 'provisioner')}`,
    `\n    post-processors:\n\n${chains.length === 0 ? '      <no post-processor>\n' : chains.join('\n')}`,
  ].join('');
}

interface LegacyTemplate {
  readonly description?: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly 'sensitive-variables'?: readonly string[];
  readonly builders?: readonly { readonly type?: string; readonly name?: string }[];
  readonly provisioners?: readonly { readonly type?: string }[];
}

function sayLegacy(text: string | undefined): Said[] {
  const template = parse(text);
  if (!template) return [];
  const said: Said[] = [];
  const say = (line: string): void => void said.push({ text: line });
  const tell = (type: string, ...data: string[]): void => void said.push({ type, data });
  say('Packer Inspect: JSON mode');
  if (template.description) {
    say('Description:\n');
    say(`${template.description}\n`);
  }
  sayVariables(template, say, tell);
  say('');
  say('Builders:\n');
  const builders = (template.builders ?? [])
    .map(({ type = '', name }) => ({ type, name: name ?? type }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (builders.length === 0) say('  <No builders>');
  const width = widest(builders.map(({ name }) => name));
  for (const { type, name } of builders) {
    tell('template-builder', name, type);
    say(`  ${name.padEnd(width)}${name === type ? '' : ` (${type})`}`);
  }
  say('');
  say('Provisioners:\n');
  if (!template.provisioners?.length) say('  <No provisioners>');
  for (const { type = '' } of template.provisioners ?? []) {
    tell('template-provisioner', type);
    say(`  ${type}`);
  }
  say(
    "\nNote: If your build names contain user variables or template\nfunctions such as 'timestamp', these are processed at build time,\nand therefore only show in their raw form here.",
  );
  return said;
}

function sayVariables(
  template: LegacyTemplate,
  say: (line: string) => void,
  tell: (type: string, ...data: string[]) => void,
): void {
  const entries = Object.entries(template.variables ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) {
    say('Variables:\n');
    say('  <No variables>');
    return;
  }
  const required = entries.filter(([, value]) => value === null);
  if (required.length > 0) say('Required variables:\n');
  for (const [name] of required) {
    tell('template-variable', name, '', '1');
    say(`  ${name}`);
  }
  if (required.length > 0) say('');
  say('Optional variables and their defaults:\n');
  const width = widest(entries.map(([name]) => name));
  for (const [name, value] of entries) {
    if (value === null) continue;
    const hidden = template['sensitive-variables']?.includes(name) === true;
    const shown = hidden ? '<sensitive>' : typeof value === 'string' ? value : JSON.stringify(value);
    tell('template-variable', name, shown, '0');
    say(`  ${name.padEnd(width)} = ${shown}`);
  }
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}

/** The template again as plain data: it shows what was written, not what that evaluates to. */
function parse(text: string | undefined): LegacyTemplate | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as LegacyTemplate;
  } catch {
    // The diagnostics tell where it is wrong.
    return undefined;
  }
}
