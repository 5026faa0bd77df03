import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../cli/run-cli.ts';
import { root } from '../project/source-files.ts';

const EXAMPLE = join(root, 'examples/postgres');
const VALUES = {
  hostname: 'db1',
  role: 'primary',
  address: '10.77.0.1',
  primary: '10.77.0.1',
  network: '10.77.0.0/24',
  secrets: 'ref+vault://secret',
  vault: 'https://vault.example.org:8200',
  ca: '-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n',
  ssh_key: 'ssh-ed25519 AAAA',
  uplink_mac: '52:54:00:77:01:01',
  private_mac: '52:54:00:77:02:01',
};

let dir: string;
let values: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-postgres-'));
  values = join(dir, 'values.json');
  writeFileSync(values, JSON.stringify(VALUES));
});
afterAll(() => rmSync(dir, { recursive: true }));

test('the template and its image file are valid', async () => {
  expect(await runCli(['validate', EXAMPLE])).toMatchObject({ code: 0, stderr: '' });
});

test.each(['nocloud', 'aws', 'vsphere'])('what a server is told is valid and fits %s', async (provider) => {
  const out = join(dir, provider);
  const args = [
    'render',
    join(EXAMPLE, 'launch'),
    '--values',
    values,
    '--provider',
    provider,
    '-o',
    out,
    '--json',
  ];
  const { code, stdout } = await runCli(args);
  expect(code).toBe(0);
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { severity: string; code: string }[] };
  expect(diagnostics.map((d) => d.code)).toEqual(provider === 'aws' ? ['render/not-taken'] : []);
});

test('the drop-in of cloud-init is one that its version takes', async () => {
  const path = join(dir, 'disks.yaml');
  writeFileSync(path, `#cloud-config\n${readFileSync(join(EXAMPLE, 'cloud-init/10-disks.cfg'), 'utf8')}`);
  expect(await runCli(['render', '--user-data', path, '--check'])).toMatchObject({ code: 0, stderr: '' });
});
