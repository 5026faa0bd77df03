import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../cli/run-cli.ts';
import { root } from '../project/source-files.ts';

const WEB = join(root, 'test/fixtures/render/web');
const WITH_VALUES = ['--values', join(WEB, 'values.yaml')];

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-render-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

let count = 0;
/** A file of this content, as a flag's value. */
function file(content: string | Buffer, ending = '.yaml'): string {
  const path = join(dir, `${count++}${ending}`);
  writeFileSync(path, content);
  return path;
}

const render = (...args: string[]) => runCli(['render', ...args], { NO_COLOR: '1' });
const userData = (content: string | Buffer, ...args: string[]) =>
  render('--user-data', file(content), ...args);

describe.each(['nocloud', 'aws', 'gcp', 'vsphere'])('the example for %s', (provider) => {
  test('is as it was, twice', async () => {
    const out = join(dir, `web-${provider}`);
    for (const _ of [1, 2]) {
      const result = await render(WEB, ...WITH_VALUES, '--provider', provider, '-o', out);
      expect(result.code).toBe(0);
    }
    const text = readdirSync(out)
      .sort()
      .map((name) => `=== ${name}\n${readFileSync(join(out, name), 'utf8')}`);
    await expect(text.join('')).toMatchFileSnapshot(`golden/web.${provider}.txt`);
  });
});

test('what a provider does not take is left out, and said', async () => {
  const { stderr } = await render(WEB, ...WITH_VALUES, '--provider', 'aws', '--check');
  expect(stderr).toContain('aws takes no network-config');
  expect(stderr).toContain('aws takes no vendor-data');
});

test.each([
  [
    'of a file that is no template',
    '.yaml',
    'role=a',
    '${role} stays as it is',
    /:2:11\n[\s\S]*Name it .*\.yaml\.tftpl/,
  ],
  ['of no file', '.yaml.tftpl', 'rloe=a', '--set rloe: no template takes ${rloe}', /Check its name/],
])('a value %s is told', async (_what, ending, set, message, hint) => {
  const role = ending === '.yaml' ? [] : ['--set', 'role=b'];
  const path = file('#cloud-config\nhostname: ${role}\n', ending);
  const { code, stderr } = await render('--user-data', path, '--set', set, '--set', 'hostname=c', ...role);
  expect(code).toBe(0);
  expect(stderr).toContain(message);
  expect(stderr).toMatch(hint);
  expect(stderr.match(/unused-value/g)).toHaveLength(1);
});

test('an instance id is another one when anything else is', async () => {
  const idOf = async (...args: string[]): Promise<string> => {
    await render(WEB, ...WITH_VALUES, '-o', join(dir, 'id'), ...args);
    const text = readFileSync(join(dir, 'id/meta-data'), 'utf8');
    return (JSON.parse(text) as Record<string, string>)['instance-id'] as string;
  };
  const first = await idOf();
  expect(await idOf()).toBe(first);
  expect(await idOf('--set', 'address=192.0.2.11/24')).not.toBe(first);
  expect(await idOf('--set', 'hostname=web2')).not.toBe(first);
  expect(await idOf('--set', 'instance_id=i-1')).toBe('i-1');
});

describe('what is wrong is refused', () => {
  test.each([
    ['a wrong type', '#cloud-config\nhostname: 5\n', 'hostname: expected string', '2:11'],
    ['a list for a map', '#cloud-config\n- a\n', 'holds no map', '2:1'],
    ['an unknown key', '#cloud-config\nusers:\n  - name: a\n    sudoo: x\n', 'unknown key "sudoo"', '4:5'],
    ['a missing key', '#cloud-config\nwrite_files:\n  - content: x\n', 'lacks "path"', '3:5'],
    ['a wrong choice', '#cloud-config\npower_state: {mode: halten}\n', 'expected one of', '2:21'],
    ['a date as YAML 1.1 has it', '#cloud-config\nfinal_message: 2024-01-01\n', 'expected string', '2:16'],
    ['a tab', '#cloud-config\nhostname: a\n\tx: b\n', 'is no YAML', '3:1'],
    ['a key twice', '#cloud-config\nhostname: a\nhostname: b\n', 'must be unique', '3:1'],
    ['two documents', '#cloud-config\na: 1\n---\nb: 1\n', 'is no YAML', '3:1'],
    ['an open quote', '#cloud-config\nhostname: "a\n', 'is no YAML', '3:1'],
    ['no known start', 'hostname: a\n', 'does not know what it is', '1:1'],
    ['a blank before the start', ' #cloud-config\nhostname: a\n', 'does not know what it is', '1:1'],
    ['a MIME message', 'Content-Type: multipart/mixed\n\nx', 'is a MIME message', '1:1'],
    ['deep brackets', `#cloud-config\na: ${'['.repeat(5000)}\n`, 'nests deeper than 200', '2:'],
  ])('%s', async (_what, text, message, place) => {
    const { code, stderr, stdout } = await userData(text);
    expect(stderr).toContain(message);
    expect(stderr).toContain(`.yaml:${place}`);
    expect([code, stdout]).toEqual([1, '']);
  });

  test('aliases that grow without end', async () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) =>
        `a${i}: &a${i} [${Array(9)
          .fill(i === 0 ? 'x' : `*a${i - 1}`)
          .join()}]`,
    );
    const { stderr } = await userData(`#cloud-config\n${levels.join('\n')}\n`);
    expect(stderr).toContain('render/bad-yaml');
  });

  test.each([
    ['bytes that are no text', Buffer.from([0x23, 0x21, 0xff, 0xfe]), 'is no UTF-8 text'],
    [
      'a file whose encoding is not its own',
      '#cloud-config\nwrite_files: [{path: /a, encoding: gz+b64, content: c2VjcmV0}]\n',
      "can't be unpacked",
    ],
    ['gzip cut short', gzipSync('#!/bin/sh\n').subarray(0, 12), "can't be read"],
    ['gzip that grows', gzipSync(Buffer.alloc(64 << 20)), "can't be read"],
    ['a file of 5 MB', Buffer.alloc(5_000_000, '#'), 'the most is'],
  ])('%s', async (_what, bytes, message) => {
    expect(await userData(bytes)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(message) as string,
    });
  });

  test('a typing error at the top is only a warning, as cloud-init passes over it', async () => {
    const { code, stderr } = await userData('#cloud-config\nrun_cmd: [ls]\n');
    expect(code).toBe(0);
    expect(stderr).toContain('run_cmd is no key of cloud-init 22.4.2');
    expect(stderr).toContain('Did you mean "runcmd"?');
  });

  test('all at once, over all files', async () => {
    const { stderr } = await render(
      '--user-data',
      file('#cloud-config\nhostname: 5\nruncmd: x\n'),
      '--network-config',
      file('version: 3\n'),
      '--meta-data',
      file('[]'),
    );
    expect(stderr.match(/^error:/gm)).toHaveLength(4);
  });
});

describe('network-config', () => {
  test.each([
    ['no version', 'ethernets: {}', 'has no version'],
    ['an address without its prefix', 'version: 2\nethernets: {a: {addresses: [10.0.0.5]}}', '"cidr"'],
    ['a prefix too long', 'version: 2\nethernets: {a: {addresses: [10.0.0.5/33]}}', '"cidr"'],
    ['a typing error', 'version: 2\nethernets: {a: {dhpc4: true}}', 'Did you mean "dhcp4"?'],
    ['yes in quotes', 'version: 2\nethernets: {a: {dhcp4: "yes"}}', 'expected boolean'],
    ['v1 without a name', 'version: 1\nconfig: [{type: physical}]', 'lacks "name"'],
    ['v1 of an unknown type', 'version: 1\nconfig: [{type: fysical, name: a}]', 'expected one of "physical"'],
    [
      'v1 with the keys of another type',
      'version: 1\nconfig: [{type: nameserver, address: 1.1.1.1, mtu: 9}]',
      '"mtu"',
    ],
  ])('%s is refused', async (_what, text, message) => {
    const { code, stderr } = await userData('#!/bin/sh\n', '--network-config', file(text));
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });

  test.each([
    [
      'v1',
      'version: 1\nconfig:\n- {type: physical, name: eth0, mac_address: "52:54:00:12:34:56", subnets: [{type: static, address: 10.0.0.5/24, gateway: 10.0.0.1}]}\n- {type: nameserver, address: [10.0.0.1]}\n- {type: vlan, name: eth0.5, vlan_link: eth0, vlan_id: 5}\n- {type: bond, name: bond0, bond_interfaces: [eth0], params: {bond-mode: active-backup}}\n',
    ],
    [
      'v2',
      'version: 2\nethernets:\n  a: {match: {macaddress: "52:54:00:12:34:56"}, set-name: lan0, dhcp4: true, dhcp6: no}\nvlans: {v: {id: 5, link: a, addresses: ["fd00::5/64"]}}\n',
    ],
  ])('%s passes as it is', async (_what, text) => {
    const out = join(dir, 'net');
    const { code } = await userData('#!/bin/sh\n', '--network-config', file(text), '-o', out);
    expect(code).toBe(0);
    expect(readFileSync(join(out, 'network-config'), 'utf8')).toBe(text);
  });

  test('the network: around it is taken off, since NoCloud does not read it', async () => {
    const out = join(dir, 'net');
    const network = file('network: {version: 2, ethernets: {a: {dhcp4: true}}}\n');
    await userData('#!/bin/sh\n', '--network-config', network, '-o', out);
    expect(JSON.parse(readFileSync(join(out, 'network-config'), 'utf8'))).toEqual({
      version: 2,
      ethernets: { a: { dhcp4: true } },
    });
  });
});

describe('a secret value is refused, and not repeated', () => {
  const AWS = ['AKIA', 'QYLPMN5HHHFPZAM2'].join('');
  const b64 = (text: string) => Buffer.from(text).toString('base64');
  test.each([
    ['a plain password', '#cloud-config\npassword: s3cr3t-x\n', 's3cr3t'],
    ['chpasswd', '#cloud-config\nchpasswd: {list: "root:s3cr3t-x"}\n', 's3cr3t'],
    [
      'chpasswd, the newer form',
      '#cloud-config\nchpasswd: {users: [{name: a, password: s3cr3t-x, type: text}]}\n',
      's3cr3t',
    ],
    ['a password of digits', '#cloud-config\nx-app: {db_password: 83610472}\n', '83610472'],
    [
      'a file in base64, with blanks around its encoding',
      `#cloud-config\nwrite_files: [{path: /a, encoding: " b64 ", content: ${b64(AWS)}}]\n`,
      AWS,
    ],
    ["a user's hash", '#cloud-config\nusers: [{name: a, passwd: $6$s3cr3t}]\n', 's3cr3t'],
    ['a host key', '#cloud-config\nssh_keys: {ed25519_private: s3cr3t-x}\n', 's3cr3t'],
    ['a token by its form', `#!/bin/sh\nexport AWS_ACCESS_KEY_ID=${AWS}\n`, 'QYLPMN'],
    [
      'a token in base64',
      `#cloud-config\nwrite_files: [{path: /a, encoding: b64, content: ${b64(AWS)}}]\n`,
      'QYLPMN',
    ],
    ['a password in a URL', '#!/bin/sh\ncurl https://bob:s3cr3t-x9@db.internal/\n', 's3cr3t-x9'],
    ['a password behind jinja', '## template: jinja\n#cloud-config\npassword: s3cr3t-x\n', 's3cr3t'],
    [
      'a password behind jinja that is no YAML',
      '## template: jinja\n#cloud-config\n{% for x in y %}\nusers:\n  {% endfor %}\n password: s3cr3t-x\n',
      's3cr3t',
    ],
    [
      'a file behind jinja',
      `## template: jinja\n#cloud-config\nwrite_files: [{path: "/{{ a }}", encoding: b64, content: ${b64(AWS)}}]\n`,
      AWS,
    ],
    [
      'an archive',
      '#cloud-config-archive\n- {type: text/cloud-config, content: "password: s3cr3t-x"}\n',
      's3cr3t',
    ],
    ["an archive's script", '#cloud-config-archive\n- |\n  #!/bin/sh\n  DB_PASSWORD=s3cr3t-x\n', 's3cr3t'],
    [
      'an archive in base64 in a file',
      `#cloud-config\nwrite_files: [{path: /a, encoding: b64, content: ${b64('#cloud-config-archive\n- "password: s3cr3t-x"\n')}}]\n`,
      's3cr3t',
    ],
    [
      'a password in a file in base64',
      `#cloud-config\nwrite_files: [{path: /a.yaml, encoding: b64, content: ${b64('db:\n  password: s3cr3t-x\n')}}]\n`,
      's3cr3t',
    ],
    [
      'base64 in base64',
      `#cloud-config\nwrite_files: [{path: /a, encoding: b64, content: ${b64(b64(AWS))}}]\n`,
      AWS,
    ],
    [
      'gzip in gzip',
      `#cloud-config\nwrite_files: [{path: /a, encoding: gz+b64, content: ${gzipSync(gzipSync(AWS)).toString('base64')}}]\n`,
      AWS,
    ],
    ['!!binary', `#cloud-config\nwrite_files: [{path: /a, content: !!binary ${b64(AWS)}}]\n`, AWS],
    ['base64 in a command', `#cloud-config\nruncmd: ["echo ${b64(AWS)} | base64 -d"]\n`, AWS],
    [
      'base64 over several lines in a script',
      `#!/bin/sh\nbase64 -d <<E\n${b64(`${'x'.repeat(90)}\n${AWS}\n`).replace(/.{76}/g, '$&\n')}\nE\n`,
      AWS,
    ],
    [
      'a private key with escaped line ends',
      `#cloud-config\nwrite_files: [{path: /a, content: "-----BEGIN PRIVATE KEY-----\\n${'MIIEvQIBADANBgkqhkiG9w0B'.repeat(4)}"}]\n`,
      'QIBADANB',
    ],
    ['a variable of a script', '#!/bin/sh\nexport PGPASSWORD=s3cr3t-x\n', 's3cr3t'],
    [
      'who the instance is to Vault',
      '#cloud-config\nwrite_files:\n- path: /etc/ingot/agent.env\n  content: |\n    VAULT_ROLE_ID=db\n    VAULT_SECRET_ID=s3cr3t-x\n',
      's3cr3t',
    ],
    ['an option of a command', '#cloud-config\nruncmd: [mysql --password=s3cr3t-x]\n', 's3cr3t'],
    ['an option with a blank', '#!/bin/sh\nlogin --token "s3cr3t x"\n', 's3cr3t'],
    ['a pipe to chpasswd', '#cloud-boothook\n#!/bin/sh\necho "root:s3cr3t-x" | chpasswd\n', 's3cr3t'],
    ["curl's user", '#!/bin/sh\ncurl -sf -u bob:s3cr3t-x https://a/\n', 's3cr3t'],
    ['a header', '#!/bin/sh\ncurl -H "Authorization: Bearer s3cr3t-x" https://a/\n', 's3cr3t'],
    ['JSON', '#cloud-config\nruncmd: [\'echo {"clientSecret":"s3cr3t-x"} > /a\']\n', 's3cr3t'],
    ['a hash as the shell has it', "#!/bin/sh\nPASSWORD='$6$s3cr3t'\n", 's3cr3t'],
    ['INI in a long line', `#!/bin/sh\n: ${'x '.repeat(5000)} API_KEY=s3cr3t-x\n`, 's3cr3t'],
    ['code, in quotes', '#!/usr/bin/env python3\npassword = "s3cr3t-x"\n', 's3cr3t'],
  ])('%s', async (_what, text, secret) => {
    const { code, stderr, stdout } = await userData(text);
    expect(stderr).toContain('[render/secret]');
    expect(stderr + stdout).not.toContain(secret);
    expect(code).toBe(1);
  });

  test.each(['vendor-data', 'meta-data', 'network-config'])('in %s, too', async (kind) => {
    const start =
      kind === 'vendor-data' ? '#cloud-config\n' : kind === 'network-config' ? 'version: 2\n' : '';
    const result = await userData(
      '#!/bin/sh\n',
      `--${kind}`,
      file(`${start}x-a: ["DB_PASSWORD=s3cr3t-x"]\n`),
    );
    expect(result.stderr).toContain('[render/secret]');
    expect(result).toMatchObject({ code: 1, stdout: '' });
  });

  test.each([
    ['${base64encode("x=${db_password}")}'],
    ['${upper(db_password)}'],
    ['${jsonencode({a = [db_password]})}'],
    ['${urlencode(db.password)}'],
  ])('a value whose name says so, whatever a function makes of it: %s', async (text) => {
    const values = ['--set', 'db_password=s3cr3t-x', '--values', file('db: {password: s3cr3t/y}\n')];
    const result = await render('--user-data', file(`#!/bin/sh\nlogin '${text}'\n`, '.sh.tftpl'), ...values);
    expect(result.stderr).toMatch(/the value db[._]password is a secret by its name/);
    expect(result).toMatchObject({ code: 1, stdout: '' });
  });

  test('a value whose name says so, when it is used', async () => {
    const template = file('#!/bin/sh\nlogin ${db_password}\n', '.sh.tftpl');
    const result = await render('--user-data', template, '--set', 'db_password=s3cr3t-x');
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('the value db_password is a secret by its name');
    expect(result.stderr).not.toContain('s3cr3t');
  });

  test.each([
    '#cloud-config\nchpasswd: {list: ["root:RANDOM"]}\n',
    '#cloud-config\nusers: [{name: a, lock_passwd: true, passwd: "!"}]\n',
    '#cloud-config\nchef: {validation_key: /etc/chef/validation.pem}\n',
    '#!/bin/sh\nlogin ref+vault://secret/db#/password\n',
    '#cloud-config\nwrite_files: [{path: /a, content: "password: ref+vault://secret/db#/password"}]\n',
    '## template: jinja\n#cloud-config\npassword: "{{ ds.meta_data.initial }}"\n',
    '#!/bin/sh\nTOKEN=$(curl -sX PUT http://169.254.169.254/latest/api/token)\ncurl -H "X-aws-ec2-metadata-token: $TOKEN" http://169.254.169.254/\n',
    '#!/bin/sh\nread -r -p "Password: " password\n[ "$password" = x ] && login --password="$password" --token "$1"\n',
    '#!/bin/sh\n# password: see the wiki\npassword_file=/etc/app/password\nsecret=\nPASSWORD=${PASSWORD:-}\ntoken=`cat /t`\n',
    '#!/usr/bin/python3\npassword = os.environ["PASSWORD"]\ntoken = login.token\n',
    '#cloud-config\nwrite_files:\n- path: /etc/ingot/agent.env\n  content: |\n    VAULT_ADDR=https://vault:8200\n    VAULT_USERNAME=db1\n    VAULT_PASSWORD_FILE=/run/identity/password\n',
    '#cloud-config\nwrite_files:\n- {path: /etc/nsswitch.conf, content: "passwd: files systemd\\n"}\n- {path: /etc/x, content: "password_encryption = scram-sha-256\\nPasswordAuthentication no\\npassword: no\\n"}\n',
    '#cloud-config\nssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZvb2Jhcgo0123456789abcdefghijk bob]\n',
  ])('references, variables and locked accounts pass: %j', async (text) => {
    expect(await userData(text)).toMatchObject({ code: 0, stdout: text });
  });

  test('a reference where cloud-init would take its text for the password is refused', async () => {
    const { stderr } = await userData('#cloud-config\npassword: ref+vault://secret/db#/password\n');
    expect(stderr).toContain('[render/unread-reference]');
  });
});

describe('room', () => {
  const comments = '# a comment that says much\n'.repeat(1000);
  const lines = Array.from({ length: 900 }, (_, i) => `    line ${i} of a file`).join('\n');
  const noise = (bytes: number): string => {
    let x = 1;
    return Array.from(
      { length: bytes },
      () => ((x = (x * 16_807) % 2_147_483_647), (x % 36).toString(36)),
    ).join('');
  };
  const writeFile = (path: string, content: string): string =>
    `write_files:\n- path: ${path}\n  content: |\n${content}\n`;

  test.each([
    ['aws', 16_384],
    ['azure', 65_535],
    ['hetzner', 32_768],
    ['gcp', 262_144],
  ])('%s takes %i bytes, and not one more', async (provider, limit) => {
    const script = (bytes: number): string => `#!/bin/sh\n#${noise(bytes - 12)}\n`;
    const { stdout } = await userData(script(limit), '--provider', provider, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ files: [{ size: limit, squeeze: 'as it is' }] });
    const more = await userData(script(limit + 1), '--provider', provider, '--json');
    expect((JSON.parse(more.stdout) as { files: { squeeze: string }[] }).files[0]?.squeeze).toBe(
      'compressed',
    );
  });

  test.each([
    ['openstack', 49_149],
    ['vsphere', 49_152],
  ])('%s counts base64: %i bytes of ours', async (provider, limit) => {
    const script = `#!/bin/sh\n#${noise(limit - 12)}\n`;
    const squeezeOf = async (text: string) => (await userData(text, '--provider', provider, '--json')).stdout;
    expect(JSON.parse(await squeezeOf(script))).toMatchObject({
      files: [{ limit: expect.any(Number) as number }],
    });
    const { files } = JSON.parse(await squeezeOf(script)) as { files: { size: number; limit: number }[] };
    expect(files[0]?.size).toBeLessThanOrEqual(files[0]?.limit ?? 0);
  });

  test('comments and blank lines of a #cloud-config go first', async () => {
    const out = join(dir, 'room');
    const text = `#cloud-config\n${comments}\nhostname: a # x\n\n${writeFile('/a', '    # stays\n\n    too')}${comments}`;
    expect((await userData(text, '--provider', 'aws', '-o', out)).code).toBe(0);
    expect(readFileSync(join(out, 'user-data'), 'utf8')).toBe(
      '#cloud-config\nhostname: a\nwrite_files:\n- path: /a\n  content: |\n    # stays\n\n    too\n',
    );
  });

  test('then it is compressed, the same each time; gcp gets text and is told so', async () => {
    const out = join(dir, 'room');
    const text = `#cloud-config\n${writeFile('/a', lines)}`;
    await userData(text, '--provider', 'aws', '-o', out);
    const first = readFileSync(join(out, 'user-data'));
    expect(gunzipSync(first).toString()).toBe(text);
    await userData(text, '--provider', 'aws', '-o', out);
    expect(readFileSync(join(out, 'user-data'))).toEqual(first);

    const large = `#cloud-config\n${writeFile('/a', `${lines}\n`.repeat(20))}`;
    await userData(large, '--provider', 'gcp', '-o', out);
    expect(readFileSync(join(out, 'user-data-encoding'), 'utf8')).toBe('base64');
    const packed = Buffer.from(readFileSync(join(out, 'user-data'), 'latin1'), 'base64');
    expect(gunzipSync(packed).toString()).toBe(`${large.trimEnd()}\n`);
    await userData('#!/bin/sh\n', '--provider', 'gcp', '-o', out);
    expect(readdirSync(out)).toEqual(['user-data']);
  });

  test('what still does not fit is told, the largest first, and nothing is written', async () => {
    const text = `#cloud-config\nwrite_files:\n- path: /small\n  content: x\n- path: /large\n  content: ${noise(30_000)}\nruncmd: [ls]\n`;
    const out = join(dir, 'never');
    const { code, stderr } = await userData(text, '--provider', 'aws', '-o', out);
    expect(code).toBe(1);
    expect(stderr).toMatch(/user-data has \d+ bytes, \d+ compressed; aws takes 16384/);
    const told = stderr.split('\n').filter((line) => line.includes('│'));
    expect(told[0]).toMatch(/30000 bytes, \d+ compressed: .*write_files \/large/);
    expect(told).toHaveLength(3);
    expect(stderr).toContain('first_boot');
    expect(readdirSync(dir)).not.toContain('never');
  });
});

describe('templates', () => {
  test('a value that is not there has its line and caret', async () => {
    const { stderr } = await render(
      '--user-data',
      file('#!/bin/sh\necho ${host}\n', '.sh.tftpl'),
      '--set',
      'hos=a',
    );
    expect(stderr).toContain('2 | echo ${host}');
    expect(stderr).toContain('sh.tftpl:2:8');
  });

  test('a file that is no template keeps its ${ }', async () => {
    const { stdout } = await userData('#!/bin/sh\necho ${HOME}\n');
    expect(stdout).toBe('#!/bin/sh\necho ${HOME}\n');
  });

  test('later values win, --set over all; lists and maps come from files', async () => {
    const values = ['--values', file('a: 1\nb: 1\nc: 1\nl: [x, y]\n'), '--values', file('b: 2\nc: 2\n')];
    const template = file('#!/bin/sh\n${a} ${b} ${c} ${join(",", l)}\n', '.sh.tftpl');
    expect((await render('--user-data', template, ...values, '--set', 'c=3')).stdout).toBe(
      '#!/bin/sh\n1 2 3 x,y\n',
    );
  });

  test('what is another one each time is refused', async () => {
    const { stderr } = await render('--user-data', file('#!/bin/sh\n${uuidv4()}\n', '.sh.tftpl'));
    expect(stderr).toContain('[render/not-fixed]');
  });

  test('values that are none', async () => {
    const bad = await userData('#!/bin/sh\n', '--values', file('- a\n'));
    expect(bad).toMatchObject({ code: 1, stderr: expect.stringContaining('holds no map') as string });
    expect((await userData('#!/bin/sh\n', '--set', 'a')).code).toBe(2);
  });
});

describe('the command line', () => {
  test.each([
    [['/nowhere/at/all'], "can't be read"],
    [[], 'name a folder, or files'],
    [['--user-data', '/dev/null', '--seed', 'x.vmdk'], 'expected a name that ends in .iso'],
    [
      ['--user-data', '/dev/null', '--seed', 'x.iso', '--provider', 'aws'],
      '--seed is for --provider nocloud',
    ],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await render(...args);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  test('a device without end is read to the limit', async () => {
    expect((await render('--user-data', '/dev/zero')).stderr).toContain('the most is');
  });

  test('--check writes nothing', async () => {
    const { stdout, code } = await userData('#!/bin/sh\n', '--check', '-o', join(dir, 'unwritten'));
    expect(code).toBe(0);
    expect(stdout).toContain('checked against cloud-init 22.4.2');
    expect(readdirSync(dir)).not.toContain('unwritten');
  });
});
