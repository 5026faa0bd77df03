import { sha256 } from '../../core/digest.ts';
import { Remembered } from '../../store/remembered.ts';
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
  readonly #known: Remembered;

  private constructor(known: Remembered) {
    this.#known = known;
  }

  static async open(path: string, needles: readonly Needle[]): Promise<RememberedFiles> {
    const said = needles.map(({ bytes, isWord }) => [Buffer.from(bytes).toString('hex'), isWord === true]);
    return new RememberedFiles(await Remembered.open(path, sha256(JSON.stringify([VERSION, said])), MOST));
  }

  has(identity: string): boolean {
    return this.#known.has(identity);
  }

  add(identity: string): void {
    this.#known.set(identity, '');
  }

  async save(): Promise<void> {
    await this.#known.save();
  }
}
