import type { BodySpec } from '../../src/core/body-spec.ts';
import type { Plugin } from '../../src/core/plugin.ts';
import { decodeBody, emptyScope, parseHcl } from '../../src/template/index.ts';

/** Options as a template would give them; throws with the diagnostics of a bad body. */
export async function optionsOf<O>(plugin: Plugin<O>, hcl: string): Promise<O> {
  const spec: BodySpec = await plugin.schema();
  const { body } = parseHcl(hcl, 'test.pkr.hcl');
  const { options, diagnostics } = decodeBody(body, spec, emptyScope());
  if (options === undefined) throw new Error(diagnostics.map((d) => d.message).join('; '));
  return options as O;
}
