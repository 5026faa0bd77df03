import type { Rootfs } from '../../../core/rootfs.ts';
import { ETC, isEnabled, linksOf, unitFile, unitName } from '../systems/enabled-units.ts';
import type { DiskMutation, Origin, StopMutation } from './mutation.ts';

/** What can be flipped of a unit: whether it is started at boot. */
export function unitMutations(root: Rootfs, service: string, origin: Origin): DiskMutation[] {
  const unit = unitName(service);
  const of = (change: string, apply: DiskMutation['apply']): DiskMutation => ({
    type: 'service',
    subject: service,
    change,
    attribute: 'enabled',
    origin,
    apply,
  });
  const links = linksOf(root, unit);
  if (links.length > 0)
    return [
      of('disabled', (changes) => {
        for (const link of links) changes.remove(link);
      }),
    ];
  const enabled = isEnabled(root, service);
  if (enabled === true) return [of('masked', (changes) => changes.link(`${ETC}/${unit}`, '/dev/null'))];
  const file = unitFile(root, unit);
  if (file === undefined)
    return [of('made', (changes) => changes.add(`${ETC}/${unit}`, '[Service]\nExecStart=/bin/true\n'))];
  const wants = `${ETC}/multi-user.target.wants/${unit}`;
  return file === 'masked' ? [] : [of('enabled', (changes) => changes.link(wants, file))];
}

export function stopMutation(service: string, origin: Origin): StopMutation {
  return {
    type: 'service',
    subject: service,
    unit: unitName(service),
    change: 'stopped',
    attribute: 'running',
    origin,
  };
}
