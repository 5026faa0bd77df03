import type { Json } from '../../core/digest.ts';

/** A state that failed. */
export interface FailedState {
  readonly id: string;
  readonly comment: string;
}

/** Keys of a state end in column 12; deeper ones belong to its changes. */
const KEY = /^(?=.{12}:) +(ID|Function|Name|Result|Comment|Started|Duration|Changes): ?(.*)$/;

/**
 * Reads what salt-call prints (its outputter `highstate`): a block a state with ID, Result and Comment, and the sums at
 * the end.
 */
export class StateReader {
  readonly failed: FailedState[] = [];
  #block: { id: string; result: string; comment: string[] } | undefined;
  /** The key whose value goes on over the next lines. */
  #key = '';
  #sums: { succeeded: number; changed: number; failed: number } | undefined;

  take(line: string): void {
    const [, key, value = ''] = KEY.exec(line) ?? [];
    if (key === 'ID') {
      this.end();
      this.#block = { id: value, result: '', comment: [] };
    }
    if (/^(?:-{10}$|Summary for )/.test(line)) this.end();
    if (key !== undefined) this.#key = key;
    if (this.#block && key === 'Result') this.#block.result = value;
    if (this.#block && this.#key === 'Comment') this.#block.comment.push((key ? value : line).trim());
    const succeeded = /^Succeeded: +(\d+)(?: \(.*?\bchanged=(\d+).*\))?/.exec(line);
    if (succeeded)
      this.#sums = { succeeded: Number(succeeded[1]), changed: Number(succeeded[2] ?? 0), failed: 0 };
    const failed = /^Failed: +(\d+)/.exec(line)?.[1];
    if (failed !== undefined && this.#sums) this.#sums.failed = Number(failed);
  }

  /** Nothing more of this block will come. */
  end(): void {
    const block = this.#block;
    this.#block = undefined;
    this.#key = '';
    if (block?.result === 'False')
      this.failed.push({ id: block.id, comment: block.comment.join(' ').trim() });
  }

  /** `succeeded 3, changed 2, failed 0`; undefined where Salt told no sums. */
  get summary(): string | undefined {
    const sums = this.#sums;
    return sums && `succeeded ${sums.succeeded}, changed ${sums.changed}, failed ${sums.failed}`;
  }

  toJson(): Json {
    return this.#sums ? { ...this.#sums } : null;
  }
}
