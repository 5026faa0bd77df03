import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Digest, sha256 } from '../../core/digest.ts';
import type { Needle } from '../residue/needles.ts';
import type { CleanFiles } from '../residue/search-tree.ts';

/** Bump when the search finds what it did not find before. */
const VERSION = 1;
/** Several images of tens of thousands of files each; about 20 MB. */
const MOST = 500_000;

/**
 * Remembers in a file which files of images were searched and are clean, so that an edit of the last provisioner costs
 * a search of what it made. Other needles begin anew.
 */
export class RememberedFiles implements CleanFiles {
  readonly #path: string;
  readonly #key: Digest;
  readonly #known: Set<string>;
  #isNew = false;

  private constructor(path: string, key: Digest, known: Set<string>) {
    this.#path = path;
    this.#key = key;
    this.#known = known;
  }

  static async open(path: string, needles: readonly Needle[]): Promise<RememberedFiles> {
    const said = needles.map(({ bytes, isWord }) => [Buffer.from(bytes).toString('hex'), isWord === true]);
    const key = sha256(JSON.stringify([VERSION, said]));
    const [written, ...known] = (await readFile(path, 'utf8').catch(noFile)).split('\n');
    return new RememberedFiles(path, key, new Set(written === key ? known : []));
  }

  has(identity: string): boolean {
    return this.#known.has(identity);
  }

  add(identity: string): void {
    this.#known.add(identity);
    this.#isNew = true;
  }

  /** Two builds at once: the later one's memory stays, the other searches again. */
  async save(): Promise<void> {
    if (!this.#isNew) return;
    const text = [this.#key, ...[...this.#known].slice(-MOST)].join('\n');
    await mkdir(dirname(this.#path), { recursive: true });
    const part = `${this.#path}.${process.pid}`;
    await writeFile(part, text, { mode: 0o600 });
    await rename(part, this.#path);
  }
}

function noFile(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}
