import { mkdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { NO_FIRST_BOOT } from '../config.ts';
import { PATHS } from '../paths.ts';
import { openFiller } from './fill.ts';
import type { AgentMachine } from './machine.ts';
import { renderFiles } from './render.ts';

const BODY = '{"data": {"path": "a/", "key": "value"}}';
const ANSWER = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;
const TEMPLATE = '/template';

/**
 * Makes a file by a reference, in a folder of its own and with a server of its own, and runs what the agent runs most: so
 * that code is compiled and programs are in memory before somebody waits for it. A machine's own data is not looked at.
 */
export async function rehearse(machine: AgentMachine): Promise<void> {
  const folder = machine.place(PATHS.rehearsal);
  const place = (path: string): string => join(folder, path);
  const server = await serveAnswer();
  try {
    await mkdir(place(dirname(PATHS.users)), { recursive: true });
    await writeFile(place(PATHS.users), `root:x:${process.getuid?.()}:${process.getgid?.()}::/:/bin/sh\n`);
    await writeFile(place(TEMPLATE), '{{ .host.name }}: ref+vault://a/b#/key\n');
    const { port } = server.address() as AddressInfo;
    const environment = { VAULT_ADDR: `http://127.0.0.1:${port}`, VAULT_TOKEN: 'none' };
    const config = { ...NO_FIRST_BOOT, environment };
    const stage: AgentMachine = { ...machine, place, env: {}, config, hide: () => {} };
    const file = { template: TEMPLATE, path: '/file', owner: 'root', group: undefined, mode: 0o600 };
    await renderFiles([file], await openFiller(stage), stage);
    await machine.run(['systemctl', '--version'], { quiet: true });
    await machine.run(['sync', '--file-system', folder], { quiet: true });
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A server that answers all with the same. */
async function serveAnswer(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('data', () => socket.end(ANSWER)).on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return server;
}
