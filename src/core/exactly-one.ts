/**
 * Why options of which one alone may be set, and not to an empty list, can't stand; nothing where they can. In the order in
 * which they are named.
 */
export function unlessExactlyOne(
  options: Readonly<Record<string, string | readonly string[] | undefined>>,
): string | undefined {
  const given = Object.values(options).filter((value) => value !== undefined);
  if (given.length === 1 && given[0]?.length !== 0) return undefined;
  const names = Object.keys(options);
  const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  return `expected exactly one of ${list}; got ${given.length > 1 ? 'more' : 'none'}`;
}
