import type { Edit } from './edit.ts';
import { content, lines } from './find.ts';
import { operation } from './operation.ts';

/** `localhost` counts as no name: a name from DHCP or cloud-init replaces it, another static one would win over both. */
export const hostname = operation(
  'hostname',
  1,
  'Sets the host name to `localhost`, which DHCP and cloud-init replace, and removes the line of 127.0.1.1 from /etc/hosts.',
  (root): Edit[] => [
    ...(root.lstat('/etc/hostname') ? content(root, '/etc/hostname', 'localhost\n', 0o644) : []),
    ...lines(root, '/etc/hosts', (all) => all.filter((line) => !/^\s*127\.0\.1\.1\s/.test(line))),
  ],
);
