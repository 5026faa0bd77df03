import { contents, matches } from './find.ts';
import { operation } from './operation.ts';

export const mailSpool = operation(
  'mail-spool',
  2,
  "Removes mail that the build caused: users' boxes, and what waits in the queues of Exim, Postfix and Sendmail.",
  (root) => [
    ...contents(root, ['/var/mail', '/var/spool/mail', '/var/spool/mqueue']),
    ...contents(root, ['/var/spool/exim4/input', '/var/spool/exim4/msglog', '/var/spool/exim4/db']),
    ...matches(
      root,
      ['incoming', 'active', 'deferred', 'bounce', 'defer', 'maildrop'].map(
        (queue) => `/var/spool/postfix/${queue}/*`,
      ),
    ),
  ],
);
