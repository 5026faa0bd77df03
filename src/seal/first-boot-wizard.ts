import { content } from './find.ts';
import { operation } from './operation.ts';

const UNIT = 'systemd-firstboot.service';
const DROP_IN = `/usr/lib/systemd/system/${UNIT}.d/10-ingot.conf`;

/** Credentials that the unit takes (locale, time zone, root's password) still count; only the questions go. */
const TEXT = `[Service]
ExecStart=
ExecStart=systemd-firstboot
StandardInput=null
StandardOutput=journal
StandardError=journal
`;

export const firstBootWizard = operation(
  'first-boot-wizard',
  1,
  'Keeps systemd-firstboot from asking for a locale, a time zone or a password on the console, where nobody answers and the boot waits.',
  (root) =>
    root.exists(`/usr/lib/systemd/system/${UNIT}`) || root.exists(`/lib/systemd/system/${UNIT}`)
      ? content(root, DROP_IN, TEXT, 0o644)
      : [],
);
