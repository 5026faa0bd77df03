import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BuildReport } from '../../src/app/build.ts';
import { Workspace } from './ingot.ts';
import { Later } from './later.ts';

const FORMATS = ['raw', 'qcow2', 'vhd', 'vhdx', 'vmdk', 'ova', 'gce', 'oci', 'rootfs'];
const IMAGE = `image "web" {
  version = "1.0.0"
${FORMATS.map((f) => `  output "${f}" {}`).join('\n')}
}
`;

let first: Workspace;
let second: Workspace;
let later: Later;
beforeAll(() => {
  later = new Later(400);
  first = Workspace.withDownloads();
  second = new Workspace(
    {
      TZ: 'Pacific/Kiritimati',
      LC_ALL: 'C',
      LANG: 'C',
      PATH: `/sbin:/usr/sbin:${process.env.PATH}`,
      HOME: '/nonexistent',
    },
    later.prefix,
  );
  for (const ws of [first, second]) {
    writeFileSync(ws.path('web.ingot.hcl'), IMAGE);
    // chpasswd writes today into /etc/shadow. The log shows which day it was in the container.
    appendFileSync(ws.path('harden.sh'), `\necho "$SITE_USER:$HASH" | chpasswd --encrypted\ndate +day=%F\n`);
    const template = readFileSync(ws.path('web.pkr.hcl'), 'utf8');
    writeFileSync(
      ws.path('web.pkr.hcl'),
      template.replace('"WEB_ROOT=', '"HASH=!locked",\n      "WEB_ROOT='),
    );
  }
  first.commit('release-1.0.0');
  second.commit('release-1.0.0');
});
afterAll(() => {
  first.remove();
  second.remove();
  later[Symbol.dispose]();
});

/** The day that the build's last provisioner saw, from what the build said. */
const dayOf = (said: string): number => Date.parse(/day=(\d{4}-\d\d-\d\d)/.exec(said)?.[1] ?? '');

test('two builds of one lock, 400 days apart, in other folders and environments, one with an empty cache, agree byte by byte in every format', async () => {
  const build = async (ws: Workspace, ...args: string[]) => {
    const { exitCode, stdout, stderr } = await ws.run('build', '--json', ...args, '.');
    expect(exitCode, stderr.slice(-4000)).toBe(0);
    const { images } = JSON.parse(stdout) as BuildReport;
    const digests = Object.fromEntries((images[0]?.outputs ?? []).map((o) => [o.format, o.digest]));
    return { digests, day: dayOf(stderr) };
  };
  const one = await build(first);
  copyFileSync(first.path('ingot.lock.json'), second.path('ingot.lock.json'));
  const before = process.umask(0o077);
  const two = await build(second, '--locked').finally(() => process.umask(before));
  // Midnight may pass between the two.
  expect([400, 401]).toContain((two.day - one.day) / 86_400_000);
  expect(Object.keys(one.digests).sort()).toEqual([...FORMATS].sort());
  expect(two.digests).toEqual(one.digests);
});
