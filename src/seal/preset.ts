import type { Rootfs } from '../core/rootfs.ts';
import type { Edit } from './edit.ts';
import { content } from './find.ts';
import { operation } from './operation.ts';
import { instanceOf, isTemplate, templateOf, UnitFiles, type UnitScope } from './unit-files.ts';
import { linksOf } from './unit-links.ts';

/** The lowest name counts first (systemd.preset(5)): before any preset of the distribution. */
const FILE = '00-ingot.preset';

/** The oldest systemd here on which `ignore UNIT` was seen to work; 252 does not know it. */
const IGNORE_SINCE = 257;

export const preset = operation(
  'preset',
  3,
  'Writes presets that keep every unit as it is: on a first boot systemd applies presets, and would switch on again what the template disabled.',
  (root): Edit[] =>
    (['system', 'user'] as const).flatMap((scope) => {
      const tops = ['/usr/lib/systemd', '/lib/systemd'].map((top) => `${top}/${scope}`);
      if (!tops.some((top) => root.exists(top))) return [];
      return content(root, `/etc/systemd/${scope}-preset/${FILE}`, presetText(root, scope), 0o644);
    }),
);

/**
 * `enable` for each unit that a link holds and of which every link is there, and `disable *` for the rest. On a first boot systemd only
 * enables (`systemctl preset-all --preset-mode=enable-only`), and enabling makes all links of a unit, those of its
 * Also= too. So a unit that is enabled in part, such as systemd-networkd without its wait-online service, must not be
 * named: enabling it would bring back what the template took away, and what is there stays without.
 * Where systemd knows `ignore`, it says so, and a full `systemctl preset-all` leaves the unit alone as well.
 */
export function presetText(root: Rootfs, scope: UnitScope): string {
  const units = new UnitFiles(root, scope);
  const linked = units.linked();
  const isThere = (link: string): boolean => root.lstat(link) !== undefined;
  const canIgnore = systemdVersion(root) >= IGNORE_SINCE;
  const plain: string[] = [];
  const partly: string[] = [];
  const instances = new Map<string, string[]>();
  for (const name of units.names()) {
    const unit = units.unit(name);
    // A template has no links of its own; its instances, which links name, come one by one.
    if (!unit || isTemplate(name) || !linked.has(name)) continue;
    const all = linksOf(units, name);
    const template = templateOf(name);
    if (!all?.every(isThere)) partly.push(name);
    else if (template === undefined) plain.push(`enable ${name}`);
    else instances.set(template, [...(instances.get(template) ?? []), instanceOf(name) as string]);
  }
  return [
    '# Written by Ingot: the first boot leaves every unit as the image has it.',
    ...partly.map((name) => (canIgnore ? `ignore ${name}` : `# ${name} is enabled in part, and stays so.`)),
    ...plain,
    ...[...instances].map(([template, names]) => `enable ${template} ${names.join(' ')}`),
    'disable *',
    '',
  ].join('\n');
}

/** The image's systemd by the name of its library, `libsystemd-shared-252.so`; 0 where that tells nothing. */
function systemdVersion(root: Rootfs): number {
  const libraries = ['/usr/lib/systemd', '/usr/lib/*/systemd', '/lib/systemd'].flatMap((folder) =>
    root.glob(`${folder}/libsystemd-shared-*.so`),
  );
  return Math.max(0, ...libraries.map((path) => Number(/-(\d+)[^/]*\.so$/.exec(path)?.[1] ?? 0)));
}
