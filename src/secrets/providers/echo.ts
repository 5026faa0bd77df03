import { IngotError } from '../../core/error.ts';
import type { Provider } from '../provider.ts';

/** `ref+echo://a/b`: the path itself, for tests; `ref+echo://a/b/c#/a/b` is `c`. */
export const echo: Provider = {
  async text({ path }) {
    return path.replace(/\/+$/, '');
  },
  async document({ path }) {
    const keys = path.split('/');
    if (keys.length < 2) {
      const message = `ref+echo://${path} has one part; with a fragment it needs two, divided by a slash`;
      throw new IngotError('secrets/bad-reference', message, { hint: 'Write ref+echo://key/value#/key.' });
    }
    return keys.slice(0, -1).reduceRight<unknown>((inner, key) => ({ [key]: inner }), keys.at(-1));
  },
};
