import { copyFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Workspace } from './ingot.ts';

const FORMATS = ['raw', 'qcow2', 'vhd', 'vhdx', 'vmdk', 'ova', 'gce', 'oci', 'rootfs'];
const IMAGE = `image "web" {
  version = "1.0.0"
${FORMATS.map((f) => `  output "${f}" {}`).join('\n')}
}
`;

let first: Workspace;
let second: Workspace;
beforeAll(() => {
  first = new Workspace();
  second = new Workspace({
    TZ: 'Pacific/Kiritimati',
    LC_ALL: 'C',
    LANG: 'C',
    PATH: `/sbin:/usr/sbin:${process.env.PATH}`,
    HOME: '/nonexistent',
  });
  for (const ws of [first, second]) writeFileSync(ws.path('web.ingot.hcl'), IMAGE);
  first.commit('release-1.0.0');
  second.commit('release-1.0.0');
});
afterAll(() => {
  first.remove();
  second.remove();
});

test('two builds of one lock, in other folders, with empty caches and other environments, agree byte by byte in every format', async () => {
  const one = await first.build();
  copyFileSync(first.path('ingot.lock.json'), second.path('ingot.lock.json'));
  const before = process.umask(0o077);
  const two = await second.build('--locked').finally(() => process.umask(before));
  const digests = (report: typeof one) =>
    Object.fromEntries((report.images[0]?.outputs ?? []).map((o) => [o.format, o.digest]));
  expect(Object.keys(digests(one)).sort()).toEqual([...FORMATS].sort());
  expect(digests(two)).toEqual(digests(one));
});
