import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { frozenClock } from '../../src/core/clock.ts';
import type { Context } from '../../src/core/context.ts';
import { sha256 } from '../../src/core/digest.ts';
import type { NewRelease, OutputFile } from '../../src/release/publish.ts';
import { openStore, type ReleaseStore } from '../../src/release/release-store.ts';

/** A store in a folder of its own, and everything to publish into it. */
export interface Desk extends AsyncDisposable {
  readonly dir: string;
  readonly store: ReleaseStore;
  readonly ctx: Pick<Context, 'signal' | 'clock'>;
  output(format: string, content: string): Promise<OutputFile>;
  release(version: string, content: string, more?: Partial<NewRelease>): Promise<NewRelease>;
}

export async function openDesk(): Promise<Desk> {
  const dir = await mkdtemp(join(tmpdir(), 'ingot-release-'));
  const output = async (format: string, content: string): Promise<OutputFile> => {
    const path = join(dir, `web.${format}`);
    await writeFile(path, content);
    return {
      format,
      path,
      digest: sha256(content),
      size: Buffer.byteLength(content),
      mediaType: `application/vnd.ingot.${format}`,
    };
  };
  return {
    dir,
    store: await openStore('oci-layout:./releases', dir),
    ctx: {
      signal: new AbortController().signal,
      clock: frozenClock(1_700_000_000),
    },
    output,
    release: async (version, content, more) => ({
      name: 'web',
      version,
      outputs: more?.outputs ?? [await output('qcow2', content)],
      annotations: { 'org.opencontainers.image.revision': 'abc' },
      evidence: [],
      ...more,
    }),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  };
}
