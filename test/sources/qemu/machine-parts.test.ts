import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseBootCommand } from '../../../src/sources/qemu/boot-command.ts';
import { serveFiles } from '../../../src/sources/qemu/http-server.ts';
import { VncKeyboard } from '../../../src/sources/qemu/vnc.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-parts-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('the keyboard', () => {
  /** A VNC server (RFC 6143, section 7) that writes down the keys; `security`: the types that it offers. */
  async function vnc(security: number[]): Promise<{ keys: string[]; server: Server; path: string }> {
    const keys: string[] = [];
    const server = createServer((socket) => {
      let stage = 0;
      socket.write('RFB 003.008\n');
      socket.on('error', () => {});
      socket.on('data', (data: Buffer) => {
        if (stage === 0) socket.write(Uint8Array.of(security.length, ...security));
        if (stage === 1) socket.write(Buffer.alloc(4));
        if (stage === 2) {
          const init = Buffer.alloc(24);
          init.writeUInt32BE(4, 20);
          socket.write(Buffer.concat([init, Buffer.from('QEMU')]));
        }
        if (stage++ < 3) return;
        for (let at = 0; at + 8 <= data.length; at += 8)
          keys.push(`${data[at + 1] === 1 ? '+' : '-'}${data.readUInt32BE(at + 4).toString(16)}`);
      });
    });
    const path = join(dir, 'vnc.sock');
    await new Promise<void>((done) => server.listen(path, done));
    return { keys, server, path };
  }

  test('types what a boot command says', async () => {
    const { keys, server, path } = await vnc([2, 1]);
    {
      await using keyboard = await VncKeyboard.connect(path);
      const { actions } = parseBootCommand('aB<enter><leftAltOn>x<leftAltOff>');
      await keyboard.type(actions, 1, new AbortController().signal);
      await expect.poll(() => keys.length).toBe(12);
    }
    expect(keys.join(' ')).toBe('+61 -61 +ffe1 +42 -42 -ffe1 +ff0d -ff0d +ffe9 +78 -78 -ffe9');
    await new Promise((done) => server.close(done));
  });

  test('that asks for a password is refused', async () => {
    const { server, path } = await vnc([2]);
    await expect(VncKeyboard.connect(path)).rejects.toMatchObject({ code: 'qemu/no-keyboard' });
    await new Promise((done) => server.close(done));
  });
});

describe('files for a machine', () => {
  test('of a folder, and nothing beside it', async () => {
    const folder = join(dir, 'http');
    mkdirSync(join(folder, 'sub'), { recursive: true });
    writeFileSync(join(folder, 'sub/preseed.cfg'), 'd-i');
    writeFileSync(join(dir, 'secret'), 'secret');
    symlinkSync('../secret', join(folder, 'link'));
    await using server = await serveFiles({ directory: folder });
    const get = async (path: string): Promise<string> => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
      return `${response.status} ${await response.text()}`;
    };
    expect(await get('/sub/preseed.cfg?x=1')).toBe('200 d-i');
    for (const path of ['/absent', '/sub', '/link', '/..%2fsecret', '/%2e%2e/secret', '/%00'])
      expect(await get(path)).toBe('404 not found\n');
  });

  test('by text', async () => {
    await using server = await serveFiles({ content: { '/a.cfg': 'A', 'b/c': 'B' } });
    const text = async (path: string): Promise<string> =>
      await (await fetch(`http://127.0.0.1:${server.port}${path}`)).text();
    expect(await text('/a.cfg')).toBe('A');
    expect(await text('/b/c')).toBe('B');
    expect(await text('/constructor')).toBe('not found\n');
  });

  test('at a port of the range that the template gives', async () => {
    await using taken = await serveFiles({ content: {} });
    const { port } = taken;
    await expect(serveFiles({ content: {} }, { portMin: port, portMax: port })).rejects.toMatchObject({
      code: 'qemu/no-port',
      message: `files cannot be served on port ${port} of 127.0.0.1`,
    });
    await using next = await serveFiles({ content: { a: 'A' } }, { portMin: port, portMax: port + 20 });
    expect(next.port).toBeGreaterThan(port);
    expect(next.port).toBeLessThanOrEqual(port + 20);
    await using low = await serveFiles({ content: {} }, { portMin: 20_000 });
    expect(low.port).toBeGreaterThanOrEqual(20_000);
  });
});
