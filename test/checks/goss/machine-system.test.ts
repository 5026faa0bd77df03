import { describe, expect, test } from 'vitest';
import { evaluate } from '../../../src/checks/goss/evaluate.ts';
import { parseGossFile } from '../../../src/checks/goss/parse.ts';
import { isLocalAddress } from '../../../src/checks/goss/systems/local-address.ts';
import { httpFact } from '../../../src/checks/goss/systems/machine-http.ts';
import { MachineSystem } from '../../../src/checks/goss/systems/machine-system.ts';
import { listeningPorts } from '../../../src/checks/goss/systems/ports.ts';
import { Reader } from '../../../src/checks/goss/values.ts';
import { frozenClock } from '../../../src/core/clock.ts';
import type { Communicator, ExecResult } from '../../../src/core/machine.ts';

const refuse = (): never => {
  throw new Error('not part of this test');
};

function machine(answers: Readonly<Record<string, Partial<ExecResult>>>): MachineSystem {
  const communicator: Communicator = {
    exec: (argv) => Promise.resolve({ exitCode: 127, stdout: '', stderr: '', ...answers[argv.join(' ')] }),
    upload: refuse,
    uploadBytes: refuse,
    uploadDirectory: refuse,
    download: refuse,
    downloadDirectory: refuse,
  };
  return new MachineSystem(communicator);
}

async function outcomes(system: MachineSystem, yaml: string): Promise<Record<string, string>> {
  const { resources } = parseGossFile(yaml, 'goss.yaml');
  const groups = await evaluate(resources, system, { clock: frozenClock(0) });
  return Object.fromEntries(
    groups.flat().map((r) => [`${r.resourceId} ${r.property}`, r.error ?? r.outcome]),
  );
}

test('asks by commands that every image has', async () => {
  const system = machine({
    'sh -c echo hi': { exitCode: 0, stdout: 'hi\n' },
    'sh -c cat /proc/[0-9]*/comm 2>/dev/null; :': { exitCode: 0, stdout: 'systemd\nnginx\n' },
    'systemctl -q is-active -- nginx': { exitCode: 0 },
    'systemctl -q is-active -- off': { exitCode: 3 },
  });
  const found = await outcomes(
    system,
    `
command: {echo hi: {exit-status: 0, stdout: [hi], stderr: ""}}
process: {nginx: {running: true}, apache2: {running: false}}
service: {nginx: {running: true}, "off": {running: false}, "../x": {running: false}}
`,
  );
  expect(Object.values(found).filter((outcome) => outcome !== 'pass')).toEqual([]);
});

test('a path may begin with the home of a user', async () => {
  const system = machine({
    'getent passwd -- web': { exitCode: 0, stdout: 'web:x:1000:1000::/run/web:/bin/sh\n' },
    'getent passwd -- nobody': { exitCode: 2 },
    'stat -c %f %s %u %U %g %G -- /run/web/x': { exitCode: 0, stdout: '81a4 1 0 root 0 root\n' },
  });
  const found = await outcomes(system, 'file: {~web/x: {exists: true}, ~nobody/x: {exists: false}}');
  expect(found).toEqual({ '~web/x exists': 'pass', '~nobody/x exists': 'user: unknown user nobody' });
});

test('nothing counts as absent in an image that has no tool to tell it', async () => {
  const found = await outcomes(
    machine({ 'getent passwd -- web': { exitCode: 2 } }),
    `
process: {nginx: {running: false}}
port: {tcp:80: {listening: false}}
service: {sshd: {running: false}}
user: {web: {exists: false}}
group: {adm: {exists: false}}
file: {/run/x: {exists: false}}
dns: {localhost: {resolvable: false}}
package: {nginx: {installed: false}}
`,
  );
  const passed = Object.entries(found).filter(([, outcome]) => outcome === 'pass');
  expect(passed.map(([name]) => name)).toEqual(['web exists']);
  expect(found['nginx running']).toMatch(/processes .* cannot be listed/);
  expect(found['sshd running']).toMatch(/cannot run systemctl/);
  expect(found['/run/x exists']).toMatch(/cannot run stat/);
});

test('ports of /proc/net', () => {
  const head = '  sl  local_address rem_address   st\n';
  const ports = listeningPorts([
    ['tcp', `${head}   0: 0100007F:0050 00000000:0000 0A\n   1: 0100007F:1F90 00000000:0000 01\n`],
    ['tcp6', `${head}   0: 00000000000000000000000001000000:0016 0:0 0A\n`],
    ['udp6', `${head}   0: 00000000000000000000000000000000:0035 0:0 07\n`],
  ]);
  expect([...ports]).toEqual([
    ['tcp:80', ['127.0.0.1']],
    ['tcp6:22', ['::1']],
    ['udp6:53', ['::']],
  ]);
});

describe('an answer of curl', () => {
  const answer =
    'HTTP/1.1 301 Moved\r\nlocation: /x\r\n\r\nHTTP/2 200 \r\ncontent-type: text/plain\r\n\r\nbody\n';
  const text = (attribute: string): string => {
    const fact = httpFact(answer, attribute);
    return fact instanceof Reader ? fact.text() : String(fact as bigint);
  };
  test('is the last one', () => expect(text('status')).toBe('200'));
  test('has its headers by Go', () => expect(text('headers')).toBe('Content-Type: text/plain'));
  test('has its body', () => expect(text('body')).toBe('body\n'));
});

describe('asks for a page as goss does', () => {
  const answer = 'HTTP/1.0 304 Not Modified\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n';
  /** The command lines of a request, and what became of its checks. */
  async function asked(options: string, hasCurl: boolean) {
    const lines: string[] = [];
    const system = new MachineSystem({
      exec: (argv) => {
        lines.push(argv.join(' '));
        const known = argv[0] === (hasCurl ? 'curl' : 'bash');
        return Promise.resolve({ exitCode: known ? 0 : 127, stdout: known ? answer : '', stderr: '' });
      },
    });
    const yaml = `http: {"http://localhost/x": {status: 304, headers: ["X-A: 1", "!Transfer"]${options}}}`;
    return { found: await outcomes(system, yaml), last: () => lines.at(-1) ?? '' };
  }

  test.each([
    ['', / --header User-Agent: goss\/\S+ -- /, / --(?:request|data-raw|head) /],
    [', method: HEAD', / --head /, / --request /],
    [', request-body: x', / --request GET --data-raw x .*--header Content-Type: -- /, / --head /],
    [
      ', method: PUT, request-body: "@f", request-headers: ["Content-Type: a/b"]',
      / --request PUT --data-raw @f /,
      / Content-Type: -- /,
    ],
    [', request-headers: ["user-agent: me"]', / --header user-agent: me -- /, /goss\//],
  ])('by curl%s', async (options, has, lacks) => {
    const { found, last } = await asked(options, true);
    expect([...new Set(Object.values(found))]).toEqual(['pass']);
    expect(last()).toMatch(/ --globoff /);
    expect(last()).toMatch(has);
    expect(last()).not.toMatch(lacks);
  });

  test('by bash where there is no curl; an answer without a new place is one', async () => {
    const { found, last } = await asked(', request-body: x, request-headers: ["Host: example.org"]', false);
    expect([...new Set(Object.values(found))]).toEqual(['pass']);
    expect(last()).toMatch(
      /GET \/x HTTP\/1\.0\r\nHost: example\.org\r\nUser-Agent: goss\/\S+\r\nContent-Length: 1\r\n\r\nx$/,
    );
  });
});

test.each([
  ['http://localhost/', true],
  ['http://user@127.0.0.1:80/x', true],
  ['tcp://[::1]:22', true],
  ['127.0.0.1:22', true],
  ['http://localhost.example.org/', false],
  ['http://10.0.0.1/?127.0.0.1', false],
  ['http://127.0.0.1@evil.example/', false],
])('%s is local: %s', (address, local) => expect(isLocalAddress(address)).toBe(local));
