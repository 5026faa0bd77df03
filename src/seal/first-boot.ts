import { matches } from './find.ts';
import { operation } from './operation.ts';

/** What the boot agent wrote, and what it was launched with. */
const OF_AN_INSTANCE = ['/var/lib/ingot/*.done', '/etc/ingot/instance.json', '/etc/ingot/agent.env'];

export const firstBoot = operation(
  'first-boot',
  1,
  'Removes the marks of a first boot that is done, and the data that an instance was launched with, so that each clone configures itself.',
  (root) => matches(root, OF_AN_INSTANCE),
);
