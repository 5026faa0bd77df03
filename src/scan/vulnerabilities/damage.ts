import { IngotError } from '../../core/error.ts';

/** A vulnerability database that cannot be believed. */
export function damaged(database: { readonly location: string }, cause: unknown): IngotError {
  return new IngotError(
    'scan/bad-database',
    `the vulnerability database ${database.location} cannot be read: ${(cause as Error).message}`,
    {
      hint: 'Download it anew; nothing was concluded from what is left of it.',
      cause,
    },
  );
}
