import type { Diagnostic, SourceRange } from '../core/diagnostic.ts';
import { type EvalScope, evaluate, type HclBody, nearest, type Template } from '../template/index.ts';
import { type ComponentKind, isOfficial } from './official-plugins.ts';
import { unsupported } from './unsupported.ts';

const WORDS: Readonly<Record<ComponentKind, 'source' | 'provisioner' | 'post-processor' | 'data-source'>> = {
  builders: 'source',
  provisioners: 'provisioner',
  postProcessors: 'post-processor',
  dataSources: 'data-source',
};

/**
 * Component types of a template that this program does not have. Those that Packer or one of the template's
 * required plugins has are collected: `validate` tells them in one warning, a build refuses each by name.
 */
export class MissingComponents {
  readonly #template: Template;
  readonly #mode: 'warn' | 'refuse';
  readonly #found = new Map<string, SourceRange>();

  constructor(template: Template, mode: 'warn' | 'refuse') {
    this.#template = template;
    this.#mode = mode;
  }

  /** Reports a type that the catalog lacks. */
  add(
    kind: ComponentKind,
    block: { readonly type: string; readonly range: SourceRange },
    ours: Iterable<string>,
    diagnostics: Diagnostic[],
  ): void {
    const word = WORDS[kind];
    const { type, range } = block;
    const known = isOfficial(kind, type) || this.#isRequired(type);
    if (known && this.#mode === 'warn') {
      const name = `${word} "${type}"`;
      if (!this.#found.has(name)) this.#found.set(name, range);
      return;
    }
    const have = [...ours].sort();
    if (known) {
      const { reason, hint } = unsupported(kind, type) ?? {
        reason: 'it is known, but not built into Ingot',
        hint: `Built in: ${have.join(', ')}.`,
      };
      const message = `the ${word} "${type}" cannot be built: ${reason}`;
      diagnostics.push({ code: 'plan/unsupported-component', severity: 'error', message, range, hint });
      return;
    }
    const near = nearest(type, have);
    diagnostics.push({
      code: `plan/unknown-${word}`,
      severity: 'error',
      message: `there is no ${word} of type "${type}"; expected one of ${have.join(', ')}`,
      range,
      ...(near !== undefined && { hint: `Did you mean "${near}"?` }),
    });
  }

  /** One warning for all that was collected. */
  report(diagnostics: Diagnostic[]): void {
    const [first] = this.#found.values();
    if (!first) return;
    const names = [...this.#found.keys()].join(', ');
    diagnostics.push({
      code: 'plan/unchecked-components',
      severity: 'warning',
      message: `not checked, because Ingot does not have them: the bodies of ${names}`,
      range: first,
      hint: 'The template around them was checked. `packer validate` can check the rest; a build here refuses them.',
    });
  }

  /** `required_plugins { cloud = … }` brings types `cloud` and `cloud-…`. */
  #isRequired(type: string): boolean {
    return this.#template.requiredPlugins.some(({ name, source }) =>
      [name, source.split('/').at(-1)].some((n) => type === n || type.startsWith(`${n}-`)),
    );
  }
}

/** Evaluates what a body without a spec holds, so that wrong references in it are found all the same. */
export function checkExpressions(body: HclBody, scope: EvalScope, diagnostics: Diagnostic[]): void {
  for (const { expression } of body.attributes.values()) evaluate(expression, scope, diagnostics);
  for (const block of body.blocks) {
    // The content of a `dynamic` block sees an iterator that only its spec's decoder makes.
    if (block.type !== 'dynamic') checkExpressions(block.body, scope, diagnostics);
  }
}
