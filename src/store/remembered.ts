import { readFile } from 'node:fs/promises';
import type { Digest } from '../core/digest.ts';
import { replaceFile } from '../core/replace-file.ts';

/**
 * What one build learned and another need not find out again: names with a value each, in a text file. It can be lost
 * at any time, and is trusted only as far as its user checks it.
 */
export class Remembered {
  readonly #path: string;
  readonly #key: Digest;
  readonly #most: number;
  readonly #known: Map<string, string>;
  #isNew = false;

  private constructor(path: string, key: Digest, most: number, known: Map<string, string>) {
    this.#path = path;
    this.#key = key;
    this.#most = most;
    this.#known = known;
  }

  /** Under another `key` it begins anew. Of more than `most` names the latest are kept. */
  static async open(path: string, key: Digest, most: number): Promise<Remembered> {
    const [written, ...lines] = (await readFile(path, 'utf8').catch(noFile)).split('\n');
    const known = new Map(
      written === key ? lines.map((line) => line.split('\t', 2) as [string, string]) : [],
    );
    return new Remembered(path, key, most, known);
  }

  has(name: string): boolean {
    return this.#known.has(name);
  }

  get(name: string): string | undefined {
    return this.#known.get(name);
  }

  /** Neither may hold a tab or a line feed. */
  set(name: string, value: string): void {
    this.#known.delete(name);
    this.#known.set(name, value);
    this.#isNew = true;
  }

  /** Two builds at once: the later one's memory stays, the other learns again. */
  async save(): Promise<void> {
    if (!this.#isNew) return;
    const lines = [...this.#known]
      .slice(-this.#most)
      .map(([name, value]) => (value ? `${name}\t${value}` : name));
    await replaceFile(this.#path, [this.#key, ...lines].join('\n'), { mode: 0o600 });
  }
}

function noFile(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}
