/** A word as POSIX shells read it back unchanged (XCU 2.2.2): in single quotes. */
export function quoteWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** `A='b c' D='e' ` in front of a command. */
export function assignments(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${quoteWord(value)} `)
    .join('');
}

/**
 * Variables from `NAME=value` strings and a map, in that order; later ones win. Answers the first string that is
 * no assignment in `bad`.
 */
export function readAssignments(
  list: readonly string[],
  map: Readonly<Record<string, string>>,
): { readonly variables: Record<string, string>; readonly bad?: string } {
  const variables: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const entry of list) {
    const at = entry.indexOf('=');
    if (!isName(entry.slice(0, Math.max(at, 0)))) return { variables, bad: entry };
    variables[entry.slice(0, at)] = entry.slice(at + 1);
  }
  for (const [name, value] of Object.entries(map)) {
    if (!isName(name)) return { variables, bad: name };
    variables[name] = value;
  }
  return { variables };
}

function isName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}
