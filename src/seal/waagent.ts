import type { Removed } from '../core/plugin.ts';
import { IngotError } from '../core/error.ts';
import type { Rootfs } from '../core/rootfs.ts';
import type { Edit } from './edit.ts';
import { contents, lines, matches } from './find.ts';
import { operation, type ProvableOperation } from './operation.ts';

const isInstalled = (root: Rootfs): boolean =>
  ['/usr/sbin/waagent', '/usr/bin/waagent', '/var/lib/waagent'].some((path) => root.exists(path));

/** The password of root goes where the agent's own configuration says so (Provisioning.DeleteRootPassword). */
function rootPassword(root: Rootfs): Edit[] {
  if (!root.exists('/etc/waagent.conf')) return [];
  if (!/^[ \t]*Provisioning\.DeleteRootPassword[ \t]*=[ \t]*y/im.test(root.readText('/etc/waagent.conf')))
    return [];
  return lines(root, '/etc/shadow', (all) =>
    all.map((line) => line.replace(/^root:(?![*!])[^:]*:/, 'root:*:')),
  );
}

/**
 * Offline, the agent's state, logs and what its configuration asks for; keys, leases, histories and the host name,
 * which it deprovisions too, have operations of their own.
 */
export const waagent: ProvableOperation = {
  ...operation(
    'waagent',
    2,
    "Removes what Azure's agent remembers, as `waagent -force -deprovision` does; on a running machine it runs that.",
    (root) =>
      isInstalled(root)
        ? [
            ...contents(root, ['/var/lib/waagent']),
            ...matches(root, ['/var/log/waagent.log*', '/var/log/azure']),
            ...rootPassword(root),
          ]
        : [],
  ),
  async online(machine): Promise<Removed[]> {
    const { communicator } = machine;
    const found = await communicator.exec(['sh', '-c', 'command -v waagent']);
    if (found.exitCode !== 0) return [];
    const { exitCode, stdout, stderr } = await communicator.exec(['waagent', '-force', '-deprovision']);
    if (exitCode === 0)
      return [{ path: '/var/lib/waagent', action: 'removed', files: 0, bytes: 0, detail: 'by waagent' }];
    throw new IngotError(
      'seal/waagent-failed',
      `waagent -force -deprovision ended with exit code ${exitCode}`,
      {
        hint: 'Run it in the machine by hand, or leave it out: seal { skip = ["waagent"] }.',
        output: `${stdout}${stderr}`.trimEnd().split('\n').slice(-20),
      },
    );
  },
};
