import type { SecretResolver } from '../core/context.ts';
import { runUserCommand } from '../host/user-command.ts';
import { expandText } from '../secrets/expand.ts';
import { goJson } from '../secrets/go-json.ts';
import type { RunCommand } from '../secrets/provider.ts';
import { createResolver } from '../secrets/resolver.ts';
import type { Mask } from './mask.ts';

/** Answers the references of a build's steps; what they hold is told to the mask. They run no command on this machine. */
export function referenceResolver(env: NodeJS.ProcessEnv, signal: AbortSignal, mask: Mask): SecretResolver {
  const resolver = createResolver({
    env,
    patience: { signal },
    onSecret: (text) => mask.add(text),
  });
  return {
    async resolve(reference) {
      const value = await expandText(reference, { lookup: (found) => resolver.lookup(found) });
      return typeof value === 'string' ? value : goJson(value);
    },
  };
}

/** Runs the command of a `ref+exec://`. */
export const runForReference: RunCommand = (command, args, { env, timeoutMs }) =>
  runUserCommand(command, args, { env, timeoutMs, okCodes: 'any' });
