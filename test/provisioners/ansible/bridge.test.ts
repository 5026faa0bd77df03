import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Bridge, openBridge } from '../../../src/provisioners/ansible/bridge.ts';
import type { AnsibleEvent } from '../../../src/provisioners/ansible/recap.ts';
import { type Bench, openBench } from '../local-machine.ts';

let bench: Bench;
let bridge: Bridge;
let events: AnsibleEvent[];
beforeEach(async () => {
  bench = await openBench();
  events = [];
  bridge = await openBridge(socketPath(), bench.machine, 'root', (e) => events.push(e), bench.ctx);
});
afterEach(async () => {
  await bridge[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
});
const socketPath = (): string => join(bench.dir, 'socket');

interface Answer {
  readonly header: Record<string, unknown>;
  readonly body: Buffer;
}

/** Asks as `ingot.py` does. */
async function ask(request: object, body: string | Buffer = ''): Promise<Answer> {
  const bytes = Buffer.from(body);
  const socket = connect(socketPath());
  socket.write(`${JSON.stringify({ address: 'a', user: 'root', bytes: bytes.length, ...request })}\n`);
  socket.write(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const whole = Buffer.concat(chunks);
  const end = whole.indexOf('\n');
  return { header: JSON.parse(whole.toString('utf8', 0, end)), body: whole.subarray(end + 1) };
}

describe('exec', () => {
  test('answers exit code, output and errors, byte by byte, whatever they are', async () => {
    const { header, body } = await ask(
      { op: 'exec', command: "cat; printf '\\377\\000\\n\\r\\n'; echo why >&2; exit 3" },
      'typed',
    );
    expect(header).toEqual({ code: 3, stdout: 10 });
    expect(body.subarray(0, 10).toString('latin1')).toBe('typed\u00ff\u0000\n\r\n');
    expect(body.subarray(10).toString()).toBe('why\n');
  });

  test('output may be longer than what a machine keeps, and one line', async () => {
    const { header, body } = await ask({ op: 'exec', command: 'head -c 3000000 /dev/zero' });
    expect(header).toEqual({ code: 0, stdout: 3_000_000 });
    expect(body.equals(Buffer.alloc(3_000_000))).toBe(true);
  });

  test('input that comes in pieces is whole when the command starts', async () => {
    const input = Buffer.alloc(500_000, 'ab\n');
    const { body } = await ask({ op: 'exec', command: 'cat' }, input);
    expect(body.equals(input)).toBe(true);
  });

  test('a command ends when Ansible goes', async () => {
    const socket = connect(socketPath());
    const started = join(bench.dir, 'started');
    const request = {
      op: 'exec',
      address: 'a',
      user: null,
      bytes: 0,
      command: `touch ${started}; sleep 1005`,
    };
    socket.write(`${JSON.stringify(request)}\n`);
    await vi.waitUntil(() => existsSync(started), { timeout: 50_000 });
    const began = performance.now();
    socket.destroy();
    // Requests wait for their turn, so the answer says that the command before has ended.
    expect((await ask({ op: 'exec', command: 'true' })).header).toMatchObject({ code: 0 });
    expect(performance.now() - began).toBeLessThan(60_000);
  });
});

test('one request at a time', async () => {
  const slow = ask({ op: 'exec', command: 'sleep 0.3; echo 1 >>order' });
  await delay(50);
  await Promise.all([slow, ask({ op: 'exec', command: 'echo 2 >>order' })]);
  expect(readFileSync(join(bench.root, 'order'), 'utf8')).toBe('1\n2\n');
});

test('files go in and come out; what fails says why', async () => {
  writeFileSync(join(bench.dir, 'a'), 'content');
  const inside = join(bench.root, 'b');
  expect((await ask({ op: 'put', source: join(bench.dir, 'a'), destination: inside })).header).toEqual({});
  expect(readFileSync(inside, 'utf8')).toBe('content');
  await ask({ op: 'fetch', source: inside, destination: join(bench.dir, 'c') });
  expect(readFileSync(join(bench.dir, 'c'), 'utf8')).toBe('content');
  const { header } = await ask({ op: 'fetch', source: '/no/such', destination: join(bench.dir, 'd') });
  expect(header.error).toContain('ENOENT');
});

test('another user than the machine has is asked of the machine, for files, too', async () => {
  const asked: (string | undefined)[] = [];
  const { communicator } = bench.machine;
  const machine = {
    ...bench.machine,
    communicator: {
      ...communicator,
      exec: (argv: readonly string[], options = {}) => {
        asked.push((options as { user?: string }).user);
        return communicator.exec(argv, options);
      },
    },
  };
  await bridge[Symbol.asyncDispose]();
  bridge = await openBridge(socketPath(), machine, 'admin', (e) => events.push(e), bench.ctx);
  writeFileSync(join(bench.dir, 'a'), 'content');
  await ask({ op: 'exec', command: 'true', user: 'admin' });
  await ask({ op: 'exec', command: 'true', user: null });
  await ask({ op: 'exec', command: 'true', user: 'deploy' });
  await ask({ op: 'put', user: 'deploy', source: join(bench.dir, 'a'), destination: join(bench.root, 'b') });
  expect(asked).toEqual([undefined, undefined, 'deploy', 'deploy']);
  expect(readFileSync(join(bench.root, 'b'), 'utf8')).toBe('content');
});

test('a second host is refused: there is one machine', async () => {
  expect((await ask({ op: 'exec', command: 'true', address: 'web' })).header).toMatchObject({ code: 0 });
  const { header } = await ask({ op: 'exec', command: 'touch ran', address: 'db' });
  expect(header.error).toBe(
    'the build has one machine, which is web here, and db was asked for: choose one host by --limit, and give other hosts an ansible_connection of their own',
  );
  expect(existsSync(join(bench.root, 'ran'))).toBe(false);
});

test('events are heard in order, also those just before the end', async () => {
  const socket = connect(socketPath());
  socket.write('{"op": "events"}\n{"event": "play", "name": "p"}\n{"event": "ta');
  await delay(20);
  socket.end('sk", "name": "t"}\nno event\n{"event": "stats", "loaded": ["/x"]}\n');
  await new Promise((done) => socket.once('close', done));
  await bridge.settled();
  expect(events).toEqual([
    { event: 'play', name: 'p' },
    { event: 'task', name: 't' },
    { event: 'stats', loaded: ['/x'] },
  ]);
});

test('what is no request is hung up on', async () => {
  const socket = connect(socketPath());
  socket.write('GET / HTTP/1.1\n');
  await new Promise((done) => socket.resume().once('close', done));
});
