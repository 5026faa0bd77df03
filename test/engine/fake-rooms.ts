import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.ts';
import { type Digest, digestOf, sha256 } from '../../src/core/digest.ts';
import { IngotError } from '../../src/core/error.ts';
import type { BuildEvent } from '../../src/core/event.ts';
import type { Host } from '../../src/core/host.ts';
import type { Layer, LayerCache, LayerContent, StagedLayer } from '../../src/core/layer.ts';
import type { Machine } from '../../src/core/machine.ts';
import type { EngineEnvironment, Rooms } from '../../src/engine/environment.ts';
import { Flights } from '../../src/engine/flights.ts';
import { type ImagePlan, type PlannedStep, planStep, type StepKind } from '../../src/plan/types.ts';

/** A cache in memory that counts what it is asked. */
export class MemoryCache implements LayerCache {
  readonly layers = new Map<Digest, Layer>();
  readonly lookups: Digest[] = [];
  readonly dir = mkdtempSync(join(tmpdir(), 'ingot-engine-'));

  async lookup(id: Digest): Promise<Layer | undefined> {
    this.lookups.push(id);
    return this.layers.get(id);
  }

  async stage(id: Digest): Promise<StagedLayer> {
    const dir = join(this.dir, id.slice(7));
    mkdirSync(join(dir, 'fs'), { recursive: true });
    mkdirSync(join(dir, 'files'), { recursive: true });
    let isSecond = false;
    return {
      id,
      dir,
      committedDir: dir,
      commit: async (content: LayerContent) => {
        const first = this.layers.get(id);
        isSecond = first !== undefined;
        if (first) return first;
        const layer = { id, dir, blobs: [], localOnly: false, ...content };
        this.layers.set(id, layer);
        return layer;
      },
      get isSecond() {
        return isSecond;
      },
      async [Symbol.asyncDispose]() {},
    };
  }

  async remove(ids: readonly Digest[]): Promise<void> {
    for (const id of ids) this.layers.delete(id);
  }

  async lease() {
    return { async [Symbol.asyncDispose]() {} };
  }

  clean(): void {
    rmSync(this.dir, { recursive: true });
  }
}

export interface FakeOptions {
  /** Provisioners that fail, by label. */
  readonly failing?: ReadonlySet<string>;
  readonly testPasses?: boolean;
  /** Called by each provisioner, with its label. */
  readonly onProvision?: (label: string) => void;
  /** Its machines hand over their memory once something has run in them. */
  readonly keepsMemory?: boolean;
  /** Its source starts from what is there already, and so ends the search of that. */
  readonly foundation?: 'searched' | 'broken' | 'endless';
}

/** Rooms without any machine; `calls` lists what was really executed. */
export function fakeEnvironment(cache: MemoryCache, options: FakeOptions = {}) {
  const calls: string[] = [];
  const events: BuildEvent[] = [];
  const living = new Set<string>();
  const machine = (name: string): Machine => ({
    kind: 'container',
    os: 'linux',
    communicator: undefined as never,
    generated: new Map(),
    chain: [],
    snapshot: async () => void calls.push('snapshot'),
    finish: async () => undefined as never,
    async [Symbol.asyncDispose]() {
      living.delete(name);
    },
  });
  const remembering = {
    keepsMemory: true,
    snapshot: async (_into: StagedLayer, memory?: StagedLayer) => {
      calls.push('snapshot');
      const has = memory !== undefined && calls.some((c) => c.startsWith('provision'));
      return has ? { written: Promise.resolve(true) } : undefined;
    },
  };
  const rooms: Rooms = {
    sources: new Map([
      [
        'fake',
        {
          type: 'fake',
          version: 1,
          produces: 'rootfs',
          schema: async () => ({ attributes: {}, blocks: {} }),
          pin: async (o) => ({ options: o }),
          start: async (_o, base, ctx, memory) => {
            if (!base && options.foundation) ctx.onFoundation?.([]);
            const name = base ? `on ${base.length}` : 'first';
            calls.push(`start ${name}${memory ? ' with its memory' : ''}`);
            living.add(name);
            return options.keepsMemory ? { ...machine(name), ...remembering } : machine(name);
          },
        },
      ],
    ]),
    provisioners: new Map([
      [
        'fake',
        {
          type: 'fake',
          version: 1,
          schema: async () => ({ attributes: {}, blocks: {} }),
          provision: async (_m, _o, ctx) => {
            calls.push(`provision ${ctx.step}`);
            options.onProvision?.(ctx.step);
            if (options.failing?.has(ctx.step))
              throw new IngotError('fake/failed', 'the fake provisioner was told to fail');
            return { summary: `ran ${ctx.step}` };
          },
        },
      ],
    ]),
    postProcessors: new Map(),
    openView: async () => ({ dir: '/nowhere', async [Symbol.asyncDispose]() {} }),
    searchAhead: async (_chain, _o, { signal }) => {
      calls.push('search ahead');
      if (options.foundation === 'broken') throw new Error('it has no root');
      if (options.foundation === 'endless')
        await new Promise((stopped) => {
          signal.addEventListener('abort', stopped);
        });
      else await delay(50);
      calls.push(signal.aborted ? 'search stopped' : 'searched');
    },
    openWritable: async () => ({
      root: undefined as never,
      exec: undefined as never,
      moveTo: async () => 'overlay' as const,
      async [Symbol.asyncDispose]() {},
    }),
    bootConfig: async () => (calls.push('boot-config'), {}),
    firstBoot: async () => (calls.push('first-boot'), {}),
    stamp: async () => (calls.push('stamp'), {}),
    seal: async () => (calls.push('seal'), {}),
    assembleDisk: async (_d, _o, target) => {
      calls.push('disk');
      writeFileSync(target, 'disk');
      return {};
    },
    flattenDisk: async (_chain, target) => writeFileSync(target, 'raw'),
    exportOutputs: async (_input, requests) => {
      calls.push(`export ${requests.map((r) => r.options.format).join('+')}`);
      return requests.map((r) => {
        writeFileSync(r.target, r.options.format);
        return {
          format: r.options.format,
          fileName: r.options.fileName,
          digest: sha256(r.options.format),
          size: 3,
        };
      });
    },
    test: async () => {
      calls.push('test');
      return {
        passed: options.testPasses ?? true,
        checks: [{ name: 'boots', passed: options.testPasses ?? true }],
        data: null,
      };
    },
    release: async () => (
      calls.push('release'), { digest: sha256('release'), store: 'memory', existed: false }
    ),
  };
  const host = { run: async () => ({ exitCode: 0, stdout: '', stderr: '' }) } as unknown as Host;
  const env = (): EngineEnvironment => ({
    rooms,
    cache,
    host: { ...host, run: copyInstead },
    clock: systemClock,
    secrets: { resolve: async () => '' },
    emit: (e) => void events.push(e),
    signal: new AbortController().signal,
    workDir: cache.dir,
    cacheDir: cache.dir,
    templateDir: '/',
    lock: { version: 1, entries: {} },
    force: false,
    runUuid: '00000000-0000-4000-8000-000000000000',
    flights: new Flights(),
    onFailure: async () => 'cleanup',
    onLeft: () => {},
  });
  return { env, calls, events, living };
}

/** Stands in for cp(1). */
const copyInstead: Host['run'] = async (_command, args) => {
  writeFileSync(args.at(-1) as string, 'copy');
  return { exitCode: 0, stdout: '', stderr: '' };
};

/** source → p0 → p1 → seal → disk → two outputs + test → release; `edit` changes the last provisioner. */
export function samplePlan(outputDir: string, edit = 0): ImagePlan {
  const step = (
    kind: StepKind,
    label: string,
    inputs: Digest[],
    options: unknown = {},
    cacheable = true,
  ): PlannedStep =>
    planStep({
      label,
      title: label,
      spec: {
        kind,
        type: 'fake',
        version: 1,
        options: { label, at: label === 'p1' ? edit : 0 },
        inputs,
        files: [],
        epoch: 1,
      },
      options,
      meta: {},
      after: [],
      cacheable,
    });
  const output = (format: string) => ({
    format,
    fileName: `x.${format}`,
    options: {},
    seed: digestOf(0),
    annotations: {},
  });
  const source = step('source', 'source', []);
  const p0 = step('provisioner', 'p0', [source.id]);
  const p1 = step('provisioner', 'p1', [p0.id]);
  const seal = step('seal', 'seal', [p1.id]);
  const disk = step('disk', 'disk', [seal.id]);
  const raw = step('output', 'raw', [disk.id], output('raw'));
  const tar = step('output', 'tar', [seal.id], output('tar'));
  const test = step('test', 'boot', [disk.id]);
  const release = step('release', 'release', [raw.id, tar.id, test.id], {}, false);
  return {
    name: 'x',
    version: '1',
    build: 'fake.x',
    source: { type: 'fake', name: 'x' },
    produces: 'rootfs',
    needs: { memory: 0, cpus: 0 },
    epoch: 1,
    steps: [source, p0, p1, seal, disk, raw, tar, test, release],
    annotations: {},
    outputDir,
  };
}
