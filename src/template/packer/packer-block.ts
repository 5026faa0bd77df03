import { error } from '../diagnostics.ts';
import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import { evaluate } from '../eval/evaluate.ts';
import type { EvalScope } from '../eval/scope.ts';
import type { HclAttribute, HclBlock, HclBody } from '../hcl/ast.ts';
import { entriesOf } from '../value/value.ts';
import { checkLabels, readContent } from './content.ts';
import { duplicate } from './locals.ts';
import { PACKER_VERSION, parseConstraint, satisfies } from './version.ts';

const PACKER = { what: 'a packer block', attributes: ['required_version'], blocks: { required_plugins: 0 } };

export interface RequiredPlugin {
  readonly name: string;
  readonly source: string;
  readonly version?: string;
  readonly range: SourceRange;
}

export interface PackerSettings {
  readonly requiredVersion?: string;
  readonly requiredPlugins: readonly RequiredPlugin[];
}

/** Reads the `packer` blocks: required_version is checked against PACKER_VERSION, plugins are noted. */
export function readPackerBlocks(body: HclBody, scope: EvalScope, diagnostics: Diagnostic[]): PackerSettings {
  let requiredVersion: string | undefined;
  const requiredPlugins: RequiredPlugin[] = [];
  for (const block of body.blocks) {
    if (block.type !== 'packer' || !checkLabels(block, [], diagnostics)) continue;
    const body = readContent(block.body, PACKER, diagnostics);
    const attribute = body.attributes.get('required_version');
    if (attribute) requiredVersion = readVersion(attribute, scope, diagnostics) ?? requiredVersion;
    for (const plugins of body.blocks) {
      if (plugins.type === 'required_plugins')
        addPlugins(requiredPlugins, readPlugins(plugins, scope, diagnostics), diagnostics);
    }
  }
  return { ...(requiredVersion !== undefined && { requiredVersion }), requiredPlugins };
}

/** The names of plugins are what templates know them by, so each may stand for one plugin only. */
function addPlugins(all: RequiredPlugin[], more: readonly RequiredPlugin[], diagnostics: Diagnostic[]): void {
  for (const plugin of more) {
    const first = all.find((p) => p.name === plugin.name);
    if (first) diagnostics.push(duplicate(`the plugin "${plugin.name}"`, first.range, plugin.range));
    else all.push(plugin);
  }
}

function readVersion(
  attribute: HclAttribute,
  scope: EvalScope,
  diagnostics: Diagnostic[],
): string | undefined {
  const { data } = evaluate(attribute.expression, scope, diagnostics);
  const { range } = attribute.expression;
  const constraint = typeof data === 'string' ? parseConstraint(data) : undefined;
  if (!constraint) {
    diagnostics.push(
      error(
        'template/invalid-version',
        `required_version must be a version constraint such as ">= 1.7.0, < 2.0.0"; got ${attribute.text}`,
        range,
      ),
    );
    return undefined;
  }
  if (!satisfies(PACKER_VERSION, constraint)) {
    const hint = `The language spoken here is that of Packer ${PACKER_VERSION}.`;
    diagnostics.push(
      error('template/required-version', `the template requires Packer ${data as string}`, range, hint),
    );
  }
  return data as string;
}

function readPlugins(block: HclBlock, scope: EvalScope, diagnostics: Diagnostic[]): RequiredPlugin[] {
  const found: RequiredPlugin[] = [];
  for (const { name, expression, range } of block.body.attributes.values()) {
    const fields = entriesOf(evaluate(expression, scope, diagnostics));
    const source = fields.get('source')?.data;
    const version = fields.get('version')?.data;
    const hint = `Write ${name} = { source = "github.com/hashicorp/${name}", version = ">= 1.0.0" }.`;
    if (typeof source !== 'string' || !isPluginSource(source)) {
      const got = typeof source === 'string' ? `"${source}"` : 'none';
      diagnostics.push(
        error(
          'template/plugin-source',
          `the plugin "${name}" needs a source of the form HOST/NAMESPACE/TYPE; got ${got}`,
          expression.range,
          hint,
        ),
      );
    } else if (version !== undefined && (typeof version !== 'string' || !parseConstraint(version))) {
      diagnostics.push(
        error(
          'template/invalid-version',
          `the plugin "${name}" needs a version constraint such as ">= 1.0.0"`,
          expression.range,
          hint,
        ),
      );
    } else found.push({ name, source, ...(typeof version === 'string' && { version }), range });
  }
  return found;
}

/** HOST/NAMESPACE/TYPE; the type without the prefix that its repository has. */
function isPluginSource(source: string): boolean {
  const parts = source.split('/');
  const type = parts.at(-1) as string;
  if (parts.length < 3 || type.startsWith('packer-')) return false;
  return (
    parts.every((part) => /^[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?$/.test(part)) &&
    (parts[0] as string).includes('.')
  );
}
