import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../../src/core/context.ts';
import type { BuildEvent } from '../../../src/core/event.ts';
import type { Lock } from '../../../src/core/lock.ts';
import type { PinContext } from '../../../src/core/plugin.ts';
import { createHost } from '../../../src/host/index.ts';

/** What a source gets, in a folder of its own. */
export interface SourceContext extends Disposable {
  readonly dir: string;
  readonly events: BuildEvent[];
  readonly lock: Lock;
  pin(changes?: Partial<PinContext>): PinContext;
  run(): Context;
}

export function sourceContext(step = 'oci.web'): SourceContext {
  const dir = mkdtempSync(join(tmpdir(), 'ingot-source-'));
  const events: BuildEvent[] = [];
  const lock: Lock = { version: 1, entries: {} };
  const common = {
    signal: new AbortController().signal,
    emit: (event: BuildEvent) => events.push(event),
    step,
    host: createHost({ leaseDir: join(dir, 'leases') }),
    clock: { now: () => new Date() },
    secrets: { resolve: () => Promise.reject(new Error('no secrets here')) },
    workDir: join(dir, 'work'),
    cacheDir: join(dir, 'cache'),
    templateDir: dir,
  };
  mkdirSync(common.workDir);
  return {
    dir,
    events,
    lock,
    pin: (changes) => ({ ...common, lock, mode: 'use', ...changes }),
    run: () => ({ ...common, epoch: 1_700_000_000 }),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}
