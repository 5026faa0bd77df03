import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../../src/core/context.ts';
import type { BuildEvent } from '../../../src/core/event.ts';
import type { Lock } from '../../../src/core/lock.ts';
import type { PinContext } from '../../../src/core/plugin.ts';
import { createHost } from '../../../src/host/index.ts';
import type { MmdebstrapOptions } from '../../../src/sources/mmdebstrap/options.ts';

/** What a source gets, in a folder of its own. */
export interface TestContext extends Disposable {
  readonly dir: string;
  readonly events: BuildEvent[];
  pin(changes?: Partial<PinContext>): PinContext;
  run(epoch: number): Context;
}

/** `cacheDir`: another context's, to share its cache. */
export function testContext(lock: Lock = { version: 1, entries: {} }, cacheDir?: string): TestContext {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-mmdebstrap-'));
  const events: BuildEvent[] = [];
  const common = {
    signal: new AbortController().signal,
    emit: (event: BuildEvent) => events.push(event),
    step: 'mmdebstrap.web',
    host: createHost({ leaseDir: join(dir, 'leases') }),
    clock: { now: () => new Date() },
    secrets: { resolve: () => Promise.reject(new Error('no secrets here')) },
    workDir: join(dir, 'work'),
    cacheDir: cacheDir ?? join(dir, 'cache'),
    templateDir: dir,
  };
  mkdirSync(common.workDir);
  return {
    dir,
    events,
    pin: (changes) => ({ ...common, lock, mode: 'use', ...changes }),
    run: (epoch) => ({ ...common, epoch }),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

export function optionsWith(changes: Partial<MmdebstrapOptions> = {}): MmdebstrapOptions {
  return {
    suite: 'bookworm',
    mirrors: undefined,
    components: ['main'],
    packages: [],
    arch: 'amd64',
    variant: 'minbase',
    kernel: 'none',
    snapshot: undefined,
    boot: false,
    ...changes,
  };
}
