import { StringDecoder } from 'node:string_decoder';

/** Longer lines are handed on in pieces. */
const MAX_LINE = 64 * 1024;

/** Keeps the beginning of a stream, and hands on every line of it. */
export class LineOutput {
  readonly #keep: number;
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #decoder = new StringDecoder('utf8');
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  #line = '';

  constructor(keep: number, onLine?: (line: string) => void) {
    this.#keep = keep;
    this.#onLine = onLine;
  }

  take(data: Buffer): void {
    const part = data.subarray(0, this.#keep - this.#keptBytes);
    if (part.length > 0) this.#kept.push(Buffer.from(part));
    this.#keptBytes += part.length;
    if (!this.#onLine) return;
    const lines = (this.#line + this.#decoder.write(data)).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#onLine(line);
    while (this.#line.length > MAX_LINE) {
      this.#onLine(this.#line.slice(0, MAX_LINE));
      this.#line = this.#line.slice(MAX_LINE);
    }
  }

  /** What was kept; hands on a last line without an end. */
  end(): string {
    this.#line += this.#decoder.end();
    if (this.#line !== '') this.#onLine?.(this.#line);
    this.#line = '';
    return Buffer.concat(this.#kept).toString('utf8');
  }
}
