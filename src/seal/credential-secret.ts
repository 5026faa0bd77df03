import { removal } from './remove.ts';

export const credentialSecret = removal(
  'credential-secret',
  1,
  'Removes the key that systemd-creds encrypts with; each clone makes its own.',
  ['/var/lib/systemd/credential.secret'],
);
