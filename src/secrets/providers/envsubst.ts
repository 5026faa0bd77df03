import { substitute } from '../substitute.ts';
import type { Provider } from '../provider.ts';
import { notFound } from '../refusal.ts';

/**
 * `ref+envsubst://$NAME/more`: the path with environment variables in place. An unset one is nothing, as vals has it; with
 * `?default=` it is missing.
 */
export const envsubst: Provider = {
  async text({ path, params }, { env }) {
    const unset: string[] = [];
    const text = substitute(path.replace(/\/$/, '').trim(), (name) => {
      if (env[name] === undefined) unset.push(name);
      return env[name];
    });
    if (unset.length > 0 && params.has('default')) throw notFound(`environment variable ${unset.join(', ')}`);
    return text;
  },
};
