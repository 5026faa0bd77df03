import type { Artifact } from '../core/artifact.ts';
import type { Context } from '../core/context.ts';
import type { GeneratedData, Machine } from '../core/machine.ts';
import { SshCommunicator } from './ssh/communicator.ts';
import { SshSession } from './ssh/session.ts';
import type { SshSettings } from './ssh/settings.ts';

/** A machine that runs somewhere, and goes on running: it is reached over SSH, and never stopped. */
export function connectHost(
  settings: SshSettings,
  more: { readonly generated: GeneratedData; readonly artifact: Artifact },
  ctx: Context,
): Machine {
  const session = new SshSession({ settings, signal: ctx.signal, gone: new AbortController().signal });
  return {
    kind: 'ssh',
    os: 'linux',
    communicator: new SshCommunicator(session, ctx),
    generated: new Map<string, string | number | boolean>([
      ['Host', settings.host],
      ['Port', settings.port],
      ['User', settings.username],
      ...more.generated,
    ]),
    chain: [],
    finish: async () => more.artifact,
    [Symbol.asyncDispose]: () => session.disconnect(),
  };
}
