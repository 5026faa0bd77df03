import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { IngotError } from '../core/error.ts';
import type { Host } from '../core/host.ts';
import type { Acceleration } from './acceleration.ts';
import { type QemuCommand, qemuArguments } from './qemu-command.ts';
import type { Qemu } from './qemu.ts';

const SOCKET = 'state.sock';
/** Faster than any disk: QEMU would hold itself back otherwise. */
const BANDWIDTH = 2 ** 40;
const POLL_MS = 25;

/**
 * Writes the memory and the devices of a machine that is stopped, as they are now, into `target`, by QEMU's migration.
 * The machine goes on when all is `written`; where the host has processors to spare at once, since the kernel holds back
 * what it writes (userfaultfd(2); qemu-qmp-ref(7), background-snapshot). `written` rejects with `qemu/no-state` or what the
 * disk says.
 */
export async function saveState(
  qemu: Qemu,
  target: string,
  signal: AbortSignal,
): Promise<{ readonly written: Promise<void> }> {
  const inBackground = hasProcessorsToSpare(qemu) && (await canHoldBack(qemu));
  const written = writeState(qemu, target, signal);
  // Told to whoever waits for it.
  const ended = written.then(
    () => true,
    () => true,
  );
  // QEMU takes the devices' state first, and lets it go on then.
  while (!(await isRunning(qemu))) {
    const pause = inBackground ? delay(POLL_MS, false) : ended;
    if (await Promise.race([ended, pause])) {
      if (!(await isRunning(qemu))) await qemu.execute('cont');
      break;
    }
  }
  return { written };
}

/**
 * Whether the machine's processors would not be slowed down by the writing. Held back page by page, that takes four times the
 * processor time that it takes while the machine stands still.
 */
function hasProcessorsToSpare({ command }: Qemu): boolean {
  return availableParallelism() >= command.cpus + 2;
}

async function canHoldBack(qemu: Qemu): Promise<boolean> {
  const capabilities = [{ capability: 'background-snapshot', state: true }];
  return qemu.execute('migrate-set-capabilities', { capabilities }).then(
    () => true,
    () => false,
  );
}

async function isRunning(qemu: Qemu): Promise<boolean> {
  const { status } = (await qemu.execute('query-status')) as { status: string };
  return status === 'running';
}

async function writeState(qemu: Qemu, target: string, signal: AbortSignal): Promise<void> {
  const path = `${qemu.socketDir}/${SOCKET}`;
  const server = createServer();
  try {
    const arrived = new Promise<Socket>((resolve, reject) => {
      server.once('connection', resolve).once('error', reject);
    });
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
    await qemu.execute('migrate-set-parameters', { 'max-bandwidth': BANDWIDTH });
    await qemu.execute('migrate', { uri: `unix:${path}` });
    const received = arrived.then((socket) => receive(addAbortSignal(signal, socket), target));
    await Promise.all([received, migrated(qemu, signal)]);
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  } finally {
    server.close();
    await rm(join(qemu.stateDir, SOCKET), { force: true });
  }
}

/** In this thread: one way through the pool for each 64 KiB takes twice the time, in which the machine may stand still. */
async function receive(socket: Socket, target: string): Promise<void> {
  await using file = await open(target, 'w');
  for await (const data of socket) writeFileSync(file.fd, data as Buffer);
}

/** Fills a machine that was started to be filled (`incoming`) from the descriptor that it was given, and lets it go on. */
export async function loadState(qemu: Qemu, descriptor: number, signal: AbortSignal): Promise<void> {
  await qemu.execute('migrate-incoming', { uri: `fd:${descriptor}` });
  await migrated(qemu, signal);
  await qemu.execute('cont');
}

/** What must be equal for one machine to go on where another one stood: QEMU, the processor, every device. */
export async function stateKey(host: Host, command: QemuCommand, accel: Acceleration): Promise<string> {
  const nameless = { path: '-', format: 'raw' } as const;
  const args = qemuArguments({
    ...command,
    disk: nameless,
    // UEFI's variables are part of the state: QEMU writes them over the copy that a machine begins with.
    ...(command.firmware !== 'bios' && { firmware: { ...command.firmware, vars: '-' } }),
    monitor: '-',
    extraDisks: command.extraDisks.map(() => nameless),
    serial: command.serial.map(() => ({ file: '-' })),
    ...(command.discs && { discs: command.discs.map(() => nameless) }),
    ...(command.floppy && { floppy: nameless }),
    ...(command.vnc !== undefined && { vnc: '-' }),
  });
  const { stdout: version } = await host.run('qemu-system-x86_64', ['--version']);
  // Under emulation every host has the same processor.
  const processor = accel.accel === 'kvm' ? await processorOf() : '';
  return createHash('sha256')
    .update(JSON.stringify([args, version, processor]))
    .digest('hex');
}

async function processorOf(): Promise<string> {
  const text = await readFile('/proc/cpuinfo', 'utf8');
  const first = text.split('\n\n')[0] ?? '';
  return first
    .split('\n')
    .filter((line) => /^(?:vendor_id|cpu family|model|stepping|microcode|flags)\s*:/.test(line))
    .join('\n');
}

/** Waits for the end of a migration (qemu-qmp-ref(7), query-migrate). Throws `qemu/no-state`. */
async function migrated(qemu: Qemu, signal: AbortSignal): Promise<void> {
  for (;;) {
    const info = (await qemu.execute('query-migrate')) as { status?: string; 'error-desc'?: string };
    if (info.status === 'completed') return;
    if (info.status === 'failed' || info.status === 'cancelled') {
      throw new IngotError(
        'qemu/no-state',
        `the machine's memory could not be moved: ${info['error-desc'] ?? info.status}`,
        { hint: 'The machine starts anew instead; is the disk full?' },
      );
    }
    await delay(POLL_MS, undefined, { signal });
  }
}
