/** Addresses that are listened on, by `tcp:22` (and tcp6, udp, udp6). */
export type ListeningPorts = ReadonlyMap<string, readonly string[]>;

const LISTEN = '0A';

/**
 * Reads /proc/net/{tcp,tcp6,udp,udp6} (proc_net_tcp.txt of the kernel's documentation). `sockets`: only of those, by their
 * inodes.
 */
export function listeningPorts(
  tables: readonly (readonly [protocol: string, text: string])[],
  sockets?: ReadonlySet<string>,
): ListeningPorts {
  const ports = new Map<string, string[]>();
  for (const [protocol, text] of tables) {
    for (const line of text.split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (sockets && !sockets.has(inode)) continue;
      const [address = '', port = ''] = local.split(':');
      if (port === '' || (protocol.startsWith('tcp') && state !== LISTEN)) continue;
      const key = `${protocol}:${Number.parseInt(port, 16)}`;
      const addresses = ports.get(key) ?? [];
      addresses.push(address.length === 8 ? ipv4(address) : ipv6(address));
      ports.set(key, addresses);
    }
  }
  return ports;
}

/** Four bytes in the machine's order (little-endian). */
function ipv4(hex: string): string {
  return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join('.');
}

/** Four words of four bytes each, every one in the machine's order; in the form of RFC 5952. */
function ipv6(hex: string): string {
  const bytes = [0, 8, 16, 24].flatMap((word) =>
    [6, 4, 2, 0].map((at) => hex.slice(word + at, word + at + 2)),
  );
  const groups = Array.from({ length: 8 }, (_, i) =>
    Number.parseInt(`${bytes[2 * i]}${bytes[2 * i + 1]}`, 16).toString(16),
  );
  const text = groups.join(':');
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length);
  const [run] = runs;
  if (!run) return text;
  const before = text.slice(0, run.index);
  const after = text.slice(run.index + run[0].length);
  return `${before}::${after.replace(/^:/, '')}`;
}
