import type { Diagnostic, SourceRange } from '../../core/diagnostic.ts';
import { error } from '../diagnostics.ts';
import { suggestion } from '../nearest.ts';
import type { SourceUse } from '../packer/builds.ts';
import type { PostProcessorBlock } from '../packer/post-processors.ts';
import type { ProvisionerBlock } from '../packer/provisioners.ts';

/** Reports names of builders in `only`, `except` and `override` that no builder has. */
export function checkNames(
  uses: readonly SourceUse[],
  provisioners: readonly ProvisionerBlock[],
  chains: readonly (readonly PostProcessorBlock[])[],
  diagnostics: Diagnostic[],
): void {
  const known = uses.map((use) => use.name);
  const check = (key: string, names: Iterable<string>, range: SourceRange): void => {
    for (const name of names) {
      if (known.includes(name)) continue;
      const hint = suggestion(name, known, `There is: ${known.join(', ') || 'none'}.`);
      diagnostics.push(
        error('template/unknown-source', `${key}: there is no builder "${name}"`, range, hint),
      );
    }
  };
  for (const { meta, overrides, range } of provisioners) {
    check('only', meta.only ?? [], range);
    check('except', meta.except ?? [], range);
    check('override', overrides.keys(), range);
  }
  for (const { only, except, range } of chains.flat()) {
    check('only', only ?? [], range);
    check('except', except ?? [], range);
  }
}
