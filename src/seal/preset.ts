import type { SealOperation } from '../core/plugin.ts';
import type { Rootfs } from '../core/rootfs.ts';
import { rewrite } from './remove.ts';
import { enabledNames, installableUnits } from './unit-files.ts';

/** The lowest name counts first (systemd.preset(5)): before any preset of the distribution. */
const FILE = '00-ingot.preset';

export const preset: SealOperation = {
  name: 'preset',
  version: 1,
  doc: 'Writes presets that keep every unit as it is: on a first boot systemd applies presets, and would switch on again what the template disabled.',
  async offline(root) {
    return (['system', 'user'] as const).flatMap((scope) => {
      const folder = `/etc/systemd/${scope}-preset`;
      if (!root.exists(`/usr/lib/systemd/${scope}`) && !root.exists(`/lib/systemd/${scope}`)) return [];
      root.mkdir(folder);
      return rewrite(root, `${folder}/${FILE}`, presetText(root, scope));
    });
  },
};

/** `enable` for what is enabled, `enable template instances…`, and `disable *` for the rest. */
export function presetText(root: Rootfs, scope: 'system' | 'user'): string {
  const lines = ['# Written by Ingot: the first boot leaves every unit as the image has it.'];
  const instances = new Map<string, string[]>();
  for (const name of [...enabledNames(root, scope)].sort()) {
    const match = /^(.+)@([^.]+)(\..+)$/.exec(name);
    if (!match) continue;
    const template = `${match[1]}@${match[3]}`;
    instances.set(template, [...(instances.get(template) ?? []), match[2] as string]);
  }
  for (const { name, enabled } of installableUnits(root, scope)) {
    if (enabled && !/@[^.]/.test(name) && !instances.has(name)) lines.push(`enable ${name}`);
  }
  for (const [template, names] of instances) lines.push(`enable ${template} ${names.join(' ')}`);
  return `${lines.join('\n')}\ndisable *\n`;
}
