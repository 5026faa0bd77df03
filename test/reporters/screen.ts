/** A terminal as far as log-update uses one: cursor moves, erasing, line feeds (ECMA-48, 8.3). */
export class Screen {
  readonly isTTY = true;
  readonly columns: number;
  readonly rows: number;
  /** Every byte that came. */
  written = '';
  readonly #lines: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): boolean {
    this.written += text;
    const [start, ...rest] = text.split('\u001b[');
    this.#put(start as string);
    for (const part of rest) {
      const sequence = (/^[?\d;]*[A-Za-z]/.exec(part) as RegExpExecArray)[0];
      this.#control(sequence);
      this.#put(part.slice(sequence.length));
    }
    return true;
  }

  /** What stands there, without blanks at line ends and without empty lines at the bottom. */
  text(): string {
    return this.#lines
      .map((line) =>
        Array.from(line, (cell) => cell ?? ' ')
          .join('')
          .trimEnd(),
      )
      .join('\n')
      .trimEnd();
  }

  #put(text: string): void {
    for (const character of text) {
      if (character === '\n') {
        this.#row += 1;
        this.#column = 0;
        this.#lines[this.#row] ??= [];
      } else if (character === '\r') this.#column = 0;
      else (this.#lines[this.#row] as string[])[this.#column++] = character;
    }
  }

  #control(sequence: string): void {
    const amount = Number(sequence.slice(0, -1)) || 1;
    const line = this.#lines[this.#row] as string[];
    switch (sequence.at(-1)) {
      case 'A':
        this.#row = Math.max(0, this.#row - amount);
        break;
      case 'B':
        this.#row += amount;
        this.#lines[this.#row] ??= [];
        break;
      case 'G':
        this.#column = amount - 1;
        break;
      case 'K':
        if (sequence === '2K') line.length = 0;
        else line.length = Math.min(line.length, this.#column);
        break;
      case 'J':
        line.length = Math.min(line.length, this.#column);
        this.#lines.length = this.#row + 1;
        break;
      case 'm':
      case 'h':
      case 'l':
        break;
      default:
        throw new Error(`the screen does not know ${JSON.stringify(sequence)}`);
    }
  }
}
