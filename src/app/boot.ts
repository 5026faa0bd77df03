import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { hexOf, sha256 } from '../core/digest.ts';
import { ExitCode, IngotError } from '../core/error.ts';
import { runAtConsole } from '../host/qemu-run.ts';
import { bootUntilLine } from '../host/qemu-wait.ts';
import type { Seed } from '../host/qemu-seed.ts';
import { type BootOutcome, consoleReader } from './boot-outcome.ts';
import { diskOf, releaseOf } from './open-image.ts';
import { recoverAll } from './recover.ts';
import { type Deps, openSession } from './session.ts';

export interface BootOptions {
  /** Path of a raw or qcow2 disk, or a release (`web@1.2.0`). */
  readonly image: string;
  readonly firmware: 'bios' | 'uefi';
  /** Bytes. */
  readonly memory: number;
  readonly cpus: number;
  readonly store?: string;
  /** Overlay that keeps what the machine writes; made where it is not there. Default: thrown away. */
  readonly persist?: string;
  /** NoCloud seed, as `ingot render --seed` writes it. */
  readonly seed?: string;
  /** Waits until the image says that it is ready, or is not, instead of showing its console. Milliseconds. */
  readonly waitReadyMs?: number;
  /** File with an OpenSSH public key, which the image's first boot (cloud-init) lets in. */
  readonly sshKey?: string;
}

/** `ingot boot`: a throwaway copy of an image at its serial console. With `waitReadyMs` it answers how that went. */
export async function boot(o: BootOptions, deps: Deps): Promise<BootOutcome | undefined> {
  const session = openSession(deps);
  await recoverAll(session.paths);
  const image = existsSync(o.image) ? o.image : diskOf(await releaseOf(o, deps));
  const copy = {
    image,
    firmware: o.firmware,
    memory: o.memory,
    cpus: o.cpus,
    ...(o.persist !== undefined && { persist: o.persist }),
    ...(o.sshKey !== undefined && { seed: await seedWith(o.sshKey) }),
    ...(o.seed !== undefined && { seed: { path: resolve(o.seed), format: 'raw', readOnly: true } as const }),
  };
  const ctx = {
    host: session.host,
    signal: session.signal,
    emit: session.emit,
    step: 'boot',
    workDir: join(session.paths.cacheDir, 'tmp'),
  };
  if (o.waitReadyMs === undefined) {
    await runAtConsole({ ...copy, input: process.stdin, output: process.stdout }, ctx);
    return undefined;
  }
  return await bootUntilLine({ ...copy, timeoutMs: o.waitReadyMs }, consoleReader(ctx), ctx);
}

async function seedWith(keyFile: string): Promise<Seed> {
  const key = (await readFile(keyFile, 'utf8')).trim();
  if (!/^(ssh|ecdsa|sk)-\S+ [A-Za-z0-9+/=]+( [^\n]*)?$/.test(key)) {
    throw new IngotError('boot/bad-key', `${keyFile} holds no OpenSSH public key`, {
      hint: 'Give the file that ends in .pub; ssh-keygen makes a pair.',
      exitCode: ExitCode.Usage,
    });
  }
  // The same key is the same instance: with --persist the second boot is not taken for a first.
  return {
    instanceId: `ingot-boot-${hexOf(sha256(key)).slice(0, 12)}`,
    hostname: 'ingot-boot',
    authorizedKeys: [key],
  };
}
