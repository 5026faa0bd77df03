import type { SourcePosition, SourceRange } from '../../core/diagnostic.ts';

/** Turns offsets in a text into lines and columns. */
export class LineMap {
  readonly #file: string;
  readonly #starts: number[] = [0];

  constructor(text: string, file: string) {
    this.#file = file;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  position(offset: number): SourcePosition {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { offset, line: low + 1, column: offset - (this.#starts[low] as number) + 1 };
  }

  range(start: number, end: number): SourceRange {
    return { file: this.#file, start: this.position(start), end: this.position(end) };
  }
}
