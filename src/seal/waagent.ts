import type { SealOperation } from '../core/plugin.ts';
import { removeMatches } from './remove.ts';

export const waagent: SealOperation = {
  name: 'waagent',
  version: 1,
  doc: "Removes what Azure's agent remembers: the offline part of `waagent -force -deprovision`.",
  async offline(root) {
    if (!root.exists('/usr/sbin/waagent') && !root.exists('/var/lib/waagent')) return [];
    return removeMatches(root, ['/var/lib/waagent/*', '/var/log/waagent.log*', '/var/log/azure']);
  },
};
