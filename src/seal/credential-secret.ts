import { matches } from './find.ts';
import { operation } from './operation.ts';

export const credentialSecret = operation(
  'credential-secret',
  1,
  'Removes the key that systemd-creds encrypts with; each clone makes its own.',
  (root) => matches(root, ['/var/lib/systemd/credential.secret']),
);
