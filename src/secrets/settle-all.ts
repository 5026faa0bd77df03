/**
 * Waits for all, and throws when one failed: its error, or an AggregateError of all that differ, so that everything
 * that is missing is told at once.
 */
export async function settleAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  const failures = settled
    .filter((s) => s.status === 'rejected')
    .flatMap(({ reason }) => (reason instanceof AggregateError ? (reason.errors as unknown[]) : [reason]));
  const byMessage = new Map(failures.map((f) => [f instanceof Error ? f.message : String(f), f]));
  const [first, ...others] = byMessage.values();
  if (others.length > 0) throw new AggregateError([first, ...others], [...byMessage.keys()].join('; '));
  if (byMessage.size > 0) throw first;
  return settled.map((s) => (s as PromiseFulfilledResult<T>).value);
}
