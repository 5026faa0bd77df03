import { asIngotError, IngotError } from './error.ts';

/**
 * Owns what was acquired and releases it in reverse order, whatever happened (DESIGN.md, section 7).
 * Use with `await using scope = new Scope(report)`. A release that fails is handed to `onReleaseError`
 * and never hides the first error; with no handler, the failures are thrown together after all were tried.
 */
export class Scope implements AsyncDisposable {
  readonly #stack: { name: string; release: () => unknown }[] = [];
  readonly #onReleaseError: ((error: IngotError) => void) | undefined;
  #closed = false;

  constructor(onReleaseError?: (error: IngotError) => void) {
    this.#onReleaseError = onReleaseError;
  }

  /** Takes over a resource and gives it back for use. */
  use<T extends AsyncDisposable>(resource: T, name = 'resource'): T {
    this.defer(name, () => resource[Symbol.asyncDispose]());
    return resource;
  }

  /** Runs `release` when the scope ends. `name` says in an error what could not be released. */
  defer(name: string, release: () => unknown): void {
    if (this.#closed) throw new Error(`scope is closed; ${name} would leak`);
    this.#stack.push({ name, release });
  }

  /** Gives up ownership of everything: the caller releases it by the scope returned. */
  move(): Scope {
    const moved = new Scope(this.#onReleaseError);
    moved.#stack.push(...this.#stack.splice(0));
    return moved;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const failures: IngotError[] = [];
    for (let entry = this.#stack.pop(); entry; entry = this.#stack.pop()) {
      try {
        await entry.release();
      } catch (error) {
        const cause = asIngotError(error);
        const failure = new IngotError(
          'core/release-failed',
          `could not release ${entry.name}: ${cause.message}`,
          {
            hint: 'Run `ingot clean` to recover what a failed clean-up left behind.',
            cause: error,
          },
        );
        if (this.#onReleaseError) this.#onReleaseError(failure);
        else failures.push(failure);
      }
    }
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, failures.map((f) => f.message).join('; '));
  }
}
