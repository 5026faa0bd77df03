import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Descriptor } from '../core/descriptor.ts';
import { IngotError } from '../core/error.ts';
import { BlobFolder } from './oci-layout-blobs.ts';
import {
  EMPTY_INDEX,
  formatIndex,
  type Index,
  type ManifestLinks,
  MAX_MANIFEST,
  manifestLinks,
  parseIndex,
} from './oci-layout-index.ts';
import { withLock } from './oci-layout-lock.ts';

const LAYOUT = '{"imageLayoutVersion":"1.0.0"}';

/** The files of an image layout: its marker, its index, its blobs. */
export class LayoutFolder {
  readonly root: string;
  readonly blobs: BlobFolder;

  constructor(root: string) {
    this.root = root;
    this.blobs = new BlobFolder(root);
  }

  /** Looks whether this is a layout, or nothing yet. Writes nothing: who only reads may not be allowed to. */
  async check(): Promise<void> {
    const found = await readFile(this.#marker, 'utf8').catch(absent);
    if (found !== undefined && !/"imageLayoutVersion"\s*:\s*"1\.\d+\.\d+"/.test(found.slice(0, 1024))) {
      throw new IngotError(
        'store/not-a-layout',
        `${this.#marker} is ${JSON.stringify(found.slice(0, 80))}; expected ${LAYOUT}`,
        {
          hint: 'Give a folder of its own to the release store.',
        },
      );
    }
    if (found !== undefined) await this.readIndex();
  }

  /** Makes what a layout consists of where it is not there yet. Comes before anything is written. */
  async prepare(): Promise<void> {
    if (await this.#isMade()) return;
    await mkdir(join(this.root, 'blobs', 'sha256'), { recursive: true });
    await withLock(this.#lock, async () => {
      // The marker comes last: where it is, the rest is.
      if ((await stat(this.#index).catch(absent)) === undefined) {
        await this.blobs.replace(this.#index, formatIndex(EMPTY_INDEX));
      }
      await this.blobs.replace(this.#marker, LAYOUT);
    });
  }

  async readIndex(): Promise<Index> {
    const found = await stat(this.#index).catch(absent);
    if (!found && !(await this.#isMade())) return EMPTY_INDEX;
    if (found && found.size > MAX_MANIFEST) return parseIndex(' '.repeat(MAX_MANIFEST + 1), this.#index);
    return parseIndex(await readFile(this.#index, 'utf8'), this.#index);
  }

  async #isMade(): Promise<boolean> {
    return (await stat(this.#marker).catch(absent)) !== undefined;
  }

  /** Reads, changes and replaces the index, alone. `change` answers undefined to leave it. */
  async updateIndex(change: (index: Index) => Index | undefined): Promise<void> {
    await this.prepare();
    await withLock(this.#lock, async () => {
      const changed = change(await this.readIndex());
      if (changed) await this.blobs.replace(this.#index, formatIndex(changed));
      await this.blobs.sweep();
    });
  }

  async links(descriptor: Descriptor): Promise<ManifestLinks> {
    if (descriptor.size > MAX_MANIFEST) throw tooLarge(descriptor);
    return manifestLinks(await new Response(await this.blobs.fetch(descriptor)).text(), descriptor.digest);
  }

  get #marker(): string {
    return join(this.root, 'oci-layout');
  }

  get #index(): string {
    return join(this.root, 'index.json');
  }

  get #lock(): string {
    return join(this.root, '.ingot', 'lock');
  }
}

/** `store/bad-index`: no honest manifest is that long. */
export function tooLarge(descriptor: Descriptor): IngotError {
  return new IngotError(
    'store/bad-index',
    `manifest ${descriptor.digest} has ${descriptor.size} bytes; expected ${MAX_MANIFEST} at most`,
  );
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
