import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FirstBootConfig, FirstBootOptions } from '../../src/firstboot/config.ts';
import { firstBootFiles } from '../../src/firstboot/files.ts';
import { installFirstBoot } from '../../src/firstboot/install.ts';
import { PATHS } from '../../src/firstboot/paths.ts';
import { firstBootSpec } from '../../src/firstboot/spec.ts';
import { AGENT_COMMANDS, dropInText, startPreOf } from '../../src/firstboot/units.ts';
import { openRootfs } from '../../src/host/rootfs.ts';
import { decodeBody, emptyScope, parseHcl } from '../../src/template/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-first-boot-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(path: string, content: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

function decode(text: string) {
  const { body, diagnostics } = parseHcl(text, 'web.ingot.hcl');
  const decoded = decodeBody(body, firstBootSpec, emptyScope());
  const found = [...diagnostics, ...decoded.diagnostics].map(
    ({ severity, message }) => `${severity}: ${message}`,
  );
  return { options: decoded.options as unknown as FirstBootOptions, found };
}

const BLOCK = `
cloud_init  = ["10-firewall.cfg"]
environment = { VAULT_ADDR = "https://vault.example:8200" }
required    = ["role"]
file "/etc/app/app.conf" {
  template = "app.conf"
  owner    = "app"
  mode     = "0640"
}
service "app.service" {
  file "/run/app/key.pem" { template = "key.pem" }
}
service "db@main.service" {}
command "setup" {
  script      = "setup.sh"
  environment = { PASSWORD = "ref+vault://kv/db#/pw" }
}
ready {
  units     = ["app.service"]
  http_port = 8080
  tcp "app" { port = 80 }
}
register {
  consul "app" {
    port  = 80
    token = "ref+vault://kv/consul#/token"
  }
}
`;

function image(): ReturnType<typeof openRootfs> {
  put('root/usr/bin/node', '');
  put('root/var/lib/dpkg/status', 'Package: nodejs\nStatus: install ok installed\nVersion: 18.20.4+dfsg\n');
  put('root/etc/cloud/cloud.cfg.d/README', '');
  put(
    'root/usr/lib/systemd/system/app.service',
    '[Service]\nExecStartPre=/usr/bin/app -t\nExecStart=/usr/bin/app\n',
  );
  put('root/usr/lib/systemd/system/db@.service', '[Service]\nExecStart=/usr/bin/db %i\n');
  put('10-firewall.cfg', 'bootcmd: [nft -f /etc/nftables.conf]\n');
  put('app.conf', 'role={{ .role }}\n');
  put('key.pem', 'ref+vault://kv/tls#/key\n');
  put('setup.sh', '#!/bin/sh\n');
  return openRootfs(join(folder, 'root'));
}

const install = (root: ReturnType<typeof openRootfs>, options: FirstBootOptions) =>
  installFirstBoot(root, { options, templateDir: folder, agent: Buffer.from('agent') });

describe('a first_boot block', () => {
  test('is decoded, and names the files that it reads', () => {
    const { options, found } = decode(BLOCK);
    expect(found).toEqual([]);
    expect(firstBootFiles(options)).toEqual(['10-firewall.cfg', 'setup.sh', 'app.conf', 'key.pem']);
    expect(options.service.map(({ unit }) => unit)).toEqual(['app.service', 'db@main.service']);
  });

  test.each([
    ['file "etc/a" { template = "a" }', 'error: "etc/a" is no absolute path of a file'],
    ['file "/etc/../a" { template = "a" }', 'error: "/etc/../a" is no absolute path of a file'],
    ['file "/run/a" { template = "a" }', 'error: /run/a is gone after a restart'],
    ['file "/etc/a" {\n template = "a"\n mode = "0644"\n}', 'warning: /etc/a can be read by everybody'],
    ['service "app" {}', 'error: "app" is no name of a service'],
    ['service "a.service\\nX=y" {}', 'error: "a.service\\nX=y" is no name of a service'],
    ['ready { units = ["multi-user.target"] }', 'error: "multi-user.target" can\'t be waited for'],
    [
      'register {\n consul "a" {\n port = 1\n token = "s.abc"\n}\n}',
      'error: a secret stands in the image file',
    ],
    ['variables = { host = 1 }', 'error: host is what the agent says of the machine'],
    ['variables = ["a"]', 'error: variables are no map'],
    ['agent = false\nready {}', 'error: ready needs agent = true'],
    ['command "a" {}', 'error: a command has either script or command'],
  ])('%s is a finding', (text, message) => {
    expect(decode(text).found).toContain(message);
  });
});

describe('the image', () => {
  test('has agent, templates, units in their order, and drop-ins', () => {
    const root = image();
    const { summary } = install(root, decode(BLOCK).options);
    expect(summary).toBe('2 templates, 1 commands, 2 services');
    expect(root.readLink(PATHS.command)).toBe('../lib/ingot/agent.cjs');
    expect((root.lstat(PATHS.agent)?.mode ?? 0) & 0o777).toBe(0o755);
    const config = JSON.parse(root.readText(PATHS.config)) as FirstBootConfig;
    expect(config.file[0]?.template).toBe('/usr/lib/ingot/templates/000-app.conf');
    expect(root.readText('/usr/lib/ingot/templates/001-key.pem')).toBe('ref+vault://kv/tls#/key\n');
    expect((root.lstat('/usr/lib/ingot/scripts/002-setup.sh')?.mode ?? 0) & 0o777).toBe(0o755);
    expect(root.readText('/etc/cloud/cloud.cfg.d/10-firewall.cfg')).toContain('nft');
    const units = '/usr/lib/systemd/system';
    expect(root.list(`${units}/multi-user.target.wants`)).toEqual([
      'ingot-first-boot.service',
      'ingot-ready.service',
      'ingot-state.service',
    ]);
    expect(root.readText(`${units}/ingot-first-boot.service`)).toBe(`[Unit]
Description=Configuration of this instance on its first boot
Wants=network-online.target
After=network-online.target cloud-init.service cloud-init-network.service
Before=app.service db@main.service
ConditionPathExists=!/var/lib/ingot/first-boot.done

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
ExecStart=/usr/bin/ingot-agent first-boot
`);
    // Our files come before the unit's own check of its configuration.
    expect(root.readText(`${units}/app.service.d/zz-ingot.conf`)).toBe(`[Unit]
Requires=ingot-first-boot.service
After=ingot-first-boot.service

[Service]
ExecStartPre=
ExecStartPre=+/usr/bin/ingot-agent render app.service
ExecStartPre=/usr/bin/app -t
TimeoutStartSec=infinity
`);
    expect(root.readText(`${units}/db@main.service.d/zz-ingot.conf`)).not.toContain('ExecStartPre');
  });

  test('with bash, has one agent wait for what a start needs', () => {
    put('root/bin/bash', '');
    const root = image();
    install(root, decode(BLOCK).options);
    const units = '/usr/lib/systemd/system';
    expect(root.list(`${units}/multi-user.target.wants`)).toContain('ingot-agent.service');
    expect(root.readText(`${units}/ingot-agent.service`)).toContain(
      'ExecStart=/usr/bin/ingot-agent attend\n',
    );
    expect((root.lstat('/usr/lib/ingot/ask')?.mode ?? 0) & 0o777).toBe(0o755);
    const first = root.readText(`${units}/ingot-first-boot.service`);
    // Else it would not find the pipe.
    expect(first).toContain(
      'After=network-online.target cloud-init.service cloud-init-network.service ingot-agent.service\n',
    );
    expect(first).toContain('ExecStart=/usr/lib/ingot/ask first-boot\n');
    expect(root.readText(`${units}/ingot-ready.service`)).toContain('ExecStart=/usr/lib/ingot/ask ready\n');
    expect(root.readText(`${units}/app.service.d/zz-ingot.conf`)).toContain(
      'ExecStartPre=+/usr/lib/ingot/ask render app.service\n',
    );
  });

  test('starts what drop-ins bring once: those before ours are repeated in it, those after it stand', () => {
    for (const name of ['certificate', 'zzz'])
      put(`root/etc/systemd/system/app.service.d/${name}.conf`, `[Service]\nExecStartPre=/bin/${name}\n`);
    const root = image();
    install(root, decode(BLOCK).options);
    const text = root.readText('/usr/lib/systemd/system/app.service.d/zz-ingot.conf');
    expect(text).toContain('ExecStartPre=/usr/bin/app -t\nExecStartPre=/bin/certificate\n');
    expect(text).not.toContain('/bin/zzz');
  });

  test("goes by an instance's drop-in, not by its template's of the same name", () => {
    for (const name of ['db@', 'db@main'])
      put(`root/etc/systemd/system/${name}.service.d/own.conf`, `[Service]\nExecStartPre=/bin/${name}\n`);
    const root = image();
    const own = 'service "db@main.service" {\n  file "/run/db.pem" { template = "key.pem" }\n}';
    install(root, decode(BLOCK.replace('service "db@main.service" {}', own)).options);
    const text = root.readText('/usr/lib/systemd/system/db@main.service.d/zz-ingot.conf');
    expect(text).toContain('ExecStartPre=/bin/db@main\n');
    expect(text).not.toContain('ExecStartPre=/bin/db@\n');
  });

  test("puts cloud-init's later stages last in line for the processor, where there is cloud-init", () => {
    const dropIn = '/usr/lib/systemd/system/cloud-final.service.d/zz-ingot.conf';
    const without = image();
    install(without, decode(BLOCK).options);
    expect(without.exists(dropIn)).toBe(false);
    put('root/lib/systemd/system/cloud-final.service', '[Service]\n');
    const root = image();
    install(root, decode(BLOCK).options);
    expect(root.readText(dropIn)).toBe('[Service]\nCPUWeight=10\n');
  });

  test('has cloud-init begin its first run anew until the disk has what the first boot needs of it', () => {
    const units = '/usr/lib/systemd/system';
    put('root/usr/bin/cloud-init', '');
    const root = image();
    install(root, decode(BLOCK).options);
    expect(root.list(`${units}/cloud-init.target.wants`)).toEqual(['ingot-cloud-init.service']);
    expect(root.readText(`${units}/ingot-cloud-init.service`)).toBe(`[Unit]
Description=Begins a first run of cloud-init anew that ended with the power
DefaultDependencies=no
After=systemd-remount-fs.service
Before=cloud-init-main.service cloud-init-local.service shutdown.target
Conflicts=shutdown.target
RequiresMountsFor=/var/lib/cloud /var/lib/ingot/cloud-init.done
ConditionPathExists=!/var/lib/ingot/cloud-init.done
ConditionPathExists=!/var/lib/ingot/first-boot.done

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/rm -rf /var/lib/cloud/data /var/lib/cloud/instance /var/lib/cloud/instances /var/lib/cloud/sem
ExecStop=/usr/lib/ingot/cloud-init-done
`);
    expect((root.lstat('/usr/lib/ingot/cloud-init-done')?.mode ?? 0) & 0o777).toBe(0o755);
    expect(root.readText(`${units}/ingot-first-boot.service`)).toContain(
      'ExecStartPre=-/usr/lib/ingot/cloud-init-done\nExecStart=/usr/bin/ingot-agent first-boot\n',
    );
  });

  test('made twice is the same', () => {
    put('root/usr/bin/cloud-init', '');
    const root = image();
    const all = (): string[] =>
      [...root.walk('/')].map(({ path, stat }) => `${path} ${stat.isFile() ? root.readText(path) : ''}`);
    install(root, decode(BLOCK).options);
    const once = all();
    install(root, decode(BLOCK).options);
    expect(all()).toEqual(once);
  });

  test.each([
    ['no Node', 'usr/bin/node', 'it has no /usr/bin/node'],
    ['no such service', 'usr/lib/systemd/system/db@.service', 'the image has no unit db@main.service'],
    ['no cloud-init', 'etc/cloud', 'the image has no cloud-init'],
  ])('with %s is refused', (_what, without, message) => {
    const root = image();
    rmSync(join(folder, 'root', without), { recursive: true });
    expect(() => install(root, decode(BLOCK).options)).toThrow(message);
  });

  test('with an old Node, or a drop-in that is no cloud-config, is refused', () => {
    const root = image();
    put('10-firewall.cfg', '- a list\n');
    expect(() => install(root, decode(BLOCK).options)).toThrow('it is no map in YAML');
    put('10-firewall.cfg', 'chpasswd: {list: "root:s3cr3t-x"}\n');
    expect(() => install(root, decode(BLOCK).options)).toThrow("chpasswd.list holds a secret's value");
    put('10-firewall.cfg', 'password: ref+vault://secret/db#/password\n');
    expect(() => install(root, decode(BLOCK).options)).toThrow('cloud-init does not read');
    put(
      '10-firewall.cfg',
      `runcmd: ["echo ${Buffer.from('DB_PASSWORD=s3cr3t-x').toString('base64')} | base64 -d"]\n`,
    );
    expect(() => install(root, decode(BLOCK).options)).toThrow("DB_PASSWORD is given a secret's value");
    put('root/var/lib/dpkg/status', 'Package: nodejs\nVersion: 12.22\n');
    expect(() => install(root, decode(BLOCK).options)).toThrow('its nodejs is version 12');
  });

  test('may bring its own vals instead, which knows no variables', () => {
    const root = image();
    const text =
      'agent = false\nfile "/etc/a" { template = "key.pem" }\nservice "app.service" {\n file "/run/a" { template = "app.conf" }\n}\n';
    expect(() => install(root, decode(text).options)).toThrow('needs vals');
    put('root/usr/bin/vals', '');
    expect(() => install(root, decode(text).options)).toThrow('which vals does not fill');
    put('app.conf', 'x');
    install(root, decode(text).options);
    expect(root.exists(PATHS.agent)).toBe(false);
    expect(root.readText('/usr/lib/ingot/files/first-boot')).toBe(
      '/usr/lib/ingot/templates/000-key.pem\t/etc/a\troot\troot\t0600\n',
    );
    expect(root.readText('/usr/lib/systemd/system/app.service.d/zz-ingot.conf')).toContain(
      'ExecStartPre=+/usr/lib/ingot/vals-render /usr/lib/ingot/files/app.service\n',
    );
    expect(root.list('/usr/lib/systemd/system/multi-user.target.wants')).toEqual([
      'ingot-first-boot.service',
      'ingot-ready.service',
    ]);
    expect(root.readText('/usr/lib/systemd/system/ingot-ready.service')).toContain(
      'ExecStart=/usr/lib/ingot/vals-ready app.service\n',
    );
  });
});

test('what a unit runs before its start is kept in order, without what a drop-in has forgotten', () => {
  const unit = '[Unit]\nExecStartPre=no\n[Service]\nExecStartPre=/a \\\n  b\nExecStartPre = -/c\n';
  expect(startPreOf([unit])).toEqual(['/a    b', '-/c']);
  expect(startPreOf([unit, '[Service]\nExecStartPre=\nExecStartPre=/d\n'])).toEqual(['/d']);
  const render = (name: string): string => `r ${name}`;
  expect(dropInText('a\\x2d%.service', true, [], { ...AGENT_COMMANDS, render })).toContain(
    '+r a\\\\x2d%%.service\n',
  );
});
