import type { Rootfs } from '../core/rootfs.ts';
import type { Edit } from './edit.ts';
import { lines } from './find.ts';

/** Sections that speak of the machine's own cards; [BridgeFDB], [DHCPServerStaticLease] and others speak of its peers. */
const OWN = new Set(['Match', 'Link', 'NetDev']);
const KEY = /^\s*(Permanent)?MACAddress\s*=/;

/**
 * MAC addresses in files of systemd-networkd and udev (systemd.network(5), systemd.link(5), systemd.netdev(5)).
 * A [Match] of nothing else matches no card any more: a .network file then is for every Ethernet card, and a .link
 * file, which named or tuned that one card, goes.
 */
export function withoutNetworkdMacs(root: Rootfs, path: string): Edit[] {
  const kind = /\.(network|link|netdev)$/.exec(path)?.[1];
  if (kind === undefined) return [];
  const edits = lines(root, path, (all) => {
    const kept: string[] = [];
    let section = '';
    let header = 0;
    let others = 0;
    let removed = 0;
    const close = (): void => {
      if (section === 'Match' && removed > 0 && others === 0) kept.splice(header, 0, 'Type=ether');
    };
    for (const line of all) {
      const name = /^\s*\[(.*)\]\s*$/.exec(line)?.[1];
      if (name !== undefined) {
        close();
        [section, header, others, removed] = [name, kept.length + 1, 0, 0];
      } else if (OWN.has(section) && KEY.test(line)) {
        removed++;
        continue;
      } else if (/^\s*[^#;\s]/.test(line)) others++;
      kept.push(line);
    }
    close();
    return kept;
  });
  const onlyOneCard = (text: string): boolean => /^\[Match\][ \t]*\nType=ether$/m.test(text);
  return edits.map((edit) =>
    kind === 'link' && edit.action === 'write' && onlyOneCard(Buffer.from(edit.data).toString('latin1'))
      ? { action: 'remove', path }
      : edit,
  );
}
