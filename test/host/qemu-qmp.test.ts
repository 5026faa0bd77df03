import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectUnix } from '../../src/host/qemu-qmp.ts';

test('a connection that breaks before anybody listens does not end the process', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'qmp-'));
  const server = createServer();
  try {
    await new Promise<void>((done) => server.listen(join(dir, 'deeper'.padEnd(60, '.')), done));
    const socket = await connectUnix(join(dir, 'deeper'.padEnd(60, '.')));
    const closed = new Promise((done) => socket.once('close', done));
    // What the kernel answers when QEMU is killed with our connection still waiting for it (ECONNRESET).
    expect(() => socket.destroy(new Error('read ECONNRESET'))).not.toThrow();
    await closed;
  } finally {
    server.close();
    rmSync(dir, { recursive: true });
  }
});
