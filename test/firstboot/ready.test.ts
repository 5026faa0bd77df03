import { describe, expect, test, vi } from 'vitest';
import { becomeReady } from '../../src/firstboot/agent/ready.ts';
import { serveState } from '../../src/firstboot/agent/serve-state.ts';
import { readState } from '../../src/firstboot/agent/state.ts';
import type { ReadyOptions, RegisterOptions } from '../../src/firstboot/config.ts';
import { PATHS } from '../../src/firstboot/paths.ts';
import { answering, TestMachine } from './agent-machine.ts';

const ready = (more: Partial<ReadyOptions>): ReadyOptions => ({
  units: [],
  timeout: 60_000,
  http_port: undefined,
  http_address: '127.0.0.1',
  tcp: [],
  http: [],
  command: [],
  ...more,
});
const places = (more: Partial<RegisterOptions>): RegisterOptions => ({
  consul: [],
  dns: [],
  http: [],
  ...more,
});

describe('readiness', () => {
  test('waits for units, ports, addresses and commands, and tells all that is missing at once', async () => {
    let status = 500;
    await using server = await answering((_request, response) => response.writeHead(status).end());
    let isActive = false;
    const units = ['app.service'];
    const tcp = [
      { name: 'app', host: '127.0.0.1', port: server.port },
      { name: 'none', host: '127.0.0.1', port: 1 },
    ];
    using machine = new TestMachine({
      ready: ready({
        units,
        tcp,
        http: [{ name: 'web', url: `${server.url}/{{ .path }}`, status: undefined }],
        command: [{ name: 'query', command: ['query', '{{ .path }}'], timeout: 1000 }],
      }),
      variables: { path: 'health' },
    });
    machine.answer = ([name]) => (isActive || name === 'sync' ? 0 : 3);
    const done = becomeReady(machine);
    await vi.waitUntil(() => machine.said.length > 0);
    for (const what of [
      'app.service is unknown',
      'none: 127.0.0.1:1 takes no connection',
      'status 500',
      'query ended',
    ])
      expect(machine.said[0]).toContain(what);
    expect(machine.said[0]).toMatch(/^ingot: waiting: /);
    expect(await readState(machine)).toMatchObject({ state: 'waiting', seconds: 10 });
    machine.seconds = 61;
    await vi.waitUntil(() => machine.said.some((line) => line.startsWith('ingot: not ready: ')));
    // What was missing comes.
    tcp.pop();
    units.pop();
    status = 204;
    isActive = true;
    await done;
    expect(machine.said.at(-1)).toBe('ingot: ready in 61 s');
    expect(await readState(machine)).toMatchObject({ state: 'ready', missing: [], seconds: 61 });
    expect(machine.mode(PATHS.state)).toBe(0o644);
  });

  test('no instance is ready whose service has failed', async () => {
    let hasFailed = true;
    using machine = new TestMachine({ service: [{ unit: 'db@1.service', file: [] }] });
    machine.answer = (argv) => {
      if (argv[1] !== 'is-failed') return undefined;
      expect(argv.at(-1)).toBe('db@1.service');
      return hasFailed ? 0 : 1;
    };
    const done = becomeReady(machine);
    await vi.waitUntil(() => machine.said.length > 0);
    expect(machine.said[0]).toBe('ingot: waiting: db@1.service has failed');
    hasFailed = false;
    await done;
    expect(await readState(machine)).toMatchObject({ state: 'ready' });
  });

  test('is answered over HTTP', async () => {
    using machine = new TestMachine({ ready: ready({}) });
    const server = await serveState(machine, 0, '127.0.0.1');
    try {
      const { port } = server.address() as { port: number };
      const url = `http://127.0.0.1:${port}/`;
      expect((await fetch(url)).status).toBe(503);
      await becomeReady(machine);
      const answer = await fetch(url, { headers: { connection: 'close' } });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ state: 'ready' });
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe('registration', () => {
  const consul = (address: string): RegisterOptions['consul'][number] => ({
    name: 'db',
    address,
    service_address: '10.0.0.7',
    port: 5432,
    id: undefined,
    tags: ['{{ .role }}'],
    meta: {},
    token: 'ref+echo://t/s3cret-token#/t',
    check_interval: 10_000,
  });

  test('comes once, when everything is ready, and is tried again until it is taken', async () => {
    const requests: { url: string; method: string; token: unknown; body: string }[] = [];
    let status = 403;
    await using server = await answering((request, response) => {
      const { url = '', method = '', headers, text } = request;
      requests.push({ url, method, token: headers['x-consul-token'], body: text });
      response.writeHead(status).end('Permission denied');
      status = 200;
    });
    using machine = new TestMachine({
      register: places({
        consul: [consul(server.url)],
      }),
      variables: { role: 'primary' },
    });
    await becomeReady(machine);
    expect(requests).toHaveLength(2);
    expect(requests[1]).toMatchObject({
      url: '/v1/agent/service/register',
      method: 'PUT',
      token: 's3cret-token',
    });
    expect(JSON.parse(requests[1]?.body ?? '')).toMatchObject({
      Name: 'db',
      Address: '10.0.0.7',
      Port: 5432,
      Tags: ['primary'],
      Check: { TCP: '10.0.0.7:5432', Interval: '10000ms' },
    });
    expect(machine.said.join('\n')).not.toContain('s3cret');
    await becomeReady(machine);
    expect(requests).toHaveLength(2);
  });

  test('of an IPv6 address is checked where it listens', async () => {
    let body = '';
    await using server = await answering((request, response) => {
      body = request.text;
      response.end();
    });
    const own = { ...consul(server.url), service_address: 'fd00::7', tags: [], token: undefined };
    using machine = new TestMachine({ register: places({ consul: [own] }) });
    await becomeReady(machine);
    expect(JSON.parse(body)).toMatchObject({ Address: 'fd00::7', Check: { TCP: '[fd00::7]:5432' } });
  });

  test('by nsupdate keeps the key out of its arguments, and takes single words alone', async () => {
    const dns = {
      name: '{{ .host.name }}.example.org',
      server: '10.0.0.1#5353',
      zone: 'example.org',
      type: 'A',
      value: '10.0.0.7',
      ttl: 60,
      key: 'ref+echo://k/hmac-sha256:up:c2VjcmV0#/k',
    };
    using machine = new TestMachine({ register: places({ dns: [dns] }) });
    machine.answer = () => 0;
    await becomeReady(machine);
    const [argv, input = ''] = machine.ran[0] ?? [];
    expect(argv).toBe('nsupdate');
    expect(input).toMatch(
      /^server 10\.0\.0\.1 5353\nzone example\.org\nkey hmac-sha256:up c2VjcmV0\nupdate delete (\S+\.example\.org) A\nupdate add \1 60 A 10\.0\.0\.7\nsend\n$/,
    );

    using hostile = new TestMachine({
      register: places({ dns: [{ ...dns, value: '{{ .address }}' }] }),
      variables: { address: '10.0.0.7\nupdate delete www.example.org' },
    });
    const refused = becomeReady(hostile);
    await vi.waitUntil(() => hostile.said.length > 0);
    expect(hostile.said[0]).toContain('has blanks in it');
    expect(hostile.ran).toEqual([]);
    hostile.stop.abort();
    await expect(refused).rejects.toThrow();
  });

  test('by an HTTP call', async () => {
    let told = '';
    await using server = await answering((request, response) => {
      told = `${request.method} ${request.url} ${request.headers.authorization} ${request.text}`;
      response.end();
    });
    using machine = new TestMachine({
      register: places({
        http: [
          {
            name: 'inventory',
            url: `${server.url}/nodes`,
            method: 'POST',
            headers: { authorization: 'Bearer ref+echo://t/abc#/t' },
            body: '{"role": "{{ .role }}"}',
          },
        ],
      }),
      variables: { role: 'replica' },
    });
    await becomeReady(machine);
    expect(told).toBe('POST /nodes Bearer abc {"role": "replica"}');
  });
});
