import type { GoFunction } from '../../../template/gotemplate/execute.ts';
import { dataFunctions } from './sprig-data.ts';
import { listFunctions } from './sprig-lists.ts';
import { numberFunctions } from './sprig-numbers.ts';
import { placeFunctions } from './sprig-places.ts';
import { textFunctions } from './sprig-text.ts';
import { versionFunctions } from './sprig-versions.ts';

/** sprig's functions (masterminds.github.io/sprig) but those that make keys, certificates, passwords or random values, and that ask servers. */
export function sprigFunctions(
  env: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, GoFunction> {
  return new Map<string, GoFunction>([
    ...textFunctions,
    ...numberFunctions,
    ...listFunctions,
    ...dataFunctions,
    ...versionFunctions,
    ...placeFunctions,
    ['env', (name) => env[String(name)] ?? ''],
    [
      'expandenv',
      (text) => String(text).replace(/\$(?:\{([^}]*)\}|(\w+))/g, (_, a, b) => env[(a ?? b) as string] ?? ''),
    ],
  ]);
}
