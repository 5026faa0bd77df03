import { execFileSync } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectUnix } from '../../../src/host/qemu-qmp.ts';
import { AgentChannel } from '../../../src/machines/agent/channel.ts';

let dir: string;
let server: Server;
let guest: Socket;
let channel: AgentChannel;
/** Requests as the guest reads them: id and script. */
let requests: [string, string][];
let onRequest: (id: string, script: string) => void;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-agent-'));
  requests = [];
  onRequest = () => {};
  server = createServer((socket) => {
    guest = socket;
    let rest = '';
    socket.on('data', (data: Buffer) => {
      const lines = (rest + data.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [id = '', script = ''] = line.split(' ');
        requests.push([id, Buffer.from(script, 'base64').toString()]);
        onRequest(id, Buffer.from(script, 'base64').toString());
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(join(dir, 'agent.sock'), resolve));
  const accepted = new Promise((resolve) => server.once('connection', resolve));
  channel = new AgentChannel(await connectUnix(join(dir, 'agent.sock')), 7);
  await accepted;
});

afterEach(async () => {
  guest.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true });
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const answer = (id: string, code: number, out = '', err = ''): string =>
  `\ningot-agent ${id} ${code} ${base64(out)} ${base64(err)}\n`;

test('the agent is ready when it says so, whatever firmware wrote before', async () => {
  guest.write('\x1b[2J\x1b[01;01HBdsDxe: starting\ningot-ag');
  guest.write('ent\n\ningot-agent ready\r\n');
  await channel.ready;
});

test('what is sent is a script that runs the words as they are, in a clean environment', async () => {
  onRequest = (id, script) => {
    const stdout = execFileSync('sh', ['-c', script], { encoding: 'utf8', env: { LEAKED: 'yes' } });
    guest.write(answer(id, 0, stdout));
  };
  const words = ["it's", '$HOME `id`', '', 'ü'];
  const { stdout } = await channel.exec(['printf', '<%s>', ...words], { cwd: '/tmp' });
  expect(stdout).toBe(words.map((w) => `<${w}>`).join(''));
  const env = await channel.exec(['env'], { env: { OWN: 'a b' } });
  expect(env.stdout).toContain('OWN=a b\n');
  expect(env.stdout).toContain('SOURCE_DATE_EPOCH=7\n');
  expect(env.stdout).not.toContain('LEAKED');
});

test('answers come in any order and in pieces, with empty streams', async () => {
  const both = Promise.all([channel.exec(['a']), channel.exec(['b'])]);
  while (requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
  const text = answer('1', 3, '', 'why') + answer('0', 0, 'out');
  for (const part of text.match(/[\s\S]{1,5}/g) ?? []) guest.write(part);
  expect(await both).toEqual([
    { exitCode: 0, stdout: 'out', stderr: '' },
    { exitCode: 3, stdout: '', stderr: 'why' },
  ]);
});

test('a machine that goes down fails what runs, and what comes', async () => {
  const running = channel.exec(['sleep', '1000']);
  while (requests.length < 1) await new Promise((resolve) => setImmediate(resolve));
  guest.destroy();
  await expect(running).rejects.toMatchObject({ code: 'machine/disconnected' });
  await expect(channel.exec(['true'])).rejects.toMatchObject({ code: 'machine/disconnected' });
});

test('a command that is cancelled leaves the others alone', async () => {
  const abort = new AbortController();
  const cancelled = channel.exec(['sleep', '1000'], { signal: abort.signal });
  onRequest = (id) => guest.write(answer('0', 0, 'too late') + answer(id, 0, 'mine'));
  abort.abort(new Error('enough'));
  await expect(cancelled).rejects.toThrow('enough');
  expect(await channel.exec(['true'])).toMatchObject({ stdout: 'mine' });
});

test('a guest that never ends its line is cut off', async () => {
  const running = channel.exec(['true']);
  const piece = 'x'.repeat(1024 * 1024);
  for (let i = 0; i < 4; i++) guest.write(piece);
  await expect(running).rejects.toMatchObject({ code: 'machine/disconnected' });
});
