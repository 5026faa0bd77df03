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
    async leave() {
      await session.disconnect();
      return { look: loginCommand(settings), fate: 'which runs on: it is not ours' };
    },
    finish: async () => more.artifact,
    [Symbol.asyncDispose]: () => session.disconnect(),
  };
}

/** How a person logs in there. */
function loginCommand({ username, host, port, bastion }: SshSettings): string {
  const by = bastion ? `-J ${bastion.username}@${bastion.host}:${bastion.port} ` : '';
  return `ssh ${by}-p ${port} ${username}@${host}`;
}
