/**
 * Lines of a netplan file without MAC addresses. Where a `match:` was of nothing else it goes, with the `set-name:`
 * that needs one (netplan refuses both), so that the definition holds for the card of its own name.
 */
export function withoutNetplanMacs(lines: readonly string[]): readonly string[] {
  const indents = lines.map((line) => /^ */.exec(line)?.[0].length ?? 0);
  const empty = lines.map((line) => /^\s*(#|$)/.test(line));
  const dropped = new Set<number>();
  for (const [i, line] of lines.entries()) {
    if (/^\s*(- )?macaddress:/.test(line)) dropped.add(i);
    else if (/^\s*match:\s*\{\s*macaddress:[^,}]*\}\s*(#.*)?$/.test(line)) dropMatch(i);
  }
  for (const [i, line] of lines.entries()) {
    if (!/^\s*match:\s*(#.*)?$/.test(line)) continue;
    const inside = below(i);
    if (inside.some((at) => dropped.has(at)) && inside.every((at) => dropped.has(at) || empty[at]))
      dropMatch(i);
  }
  return lines.filter((_line, i) => !dropped.has(i));

  /** A match, and the names of the same mapping: lines as deep, up to the next that is less deep. */
  function dropMatch(at: number): void {
    const depth = indents[at] as number;
    const isInside = (i: number): boolean =>
      i in lines && (empty[i] === true || (indents[i] as number) >= depth);
    dropped.add(at);
    for (const step of [-1, 1]) {
      for (let i = at + step; isInside(i); i += step)
        if (indents[i] === depth && lines[i]?.startsWith('set-name:', depth)) dropped.add(i);
    }
  }

  /** Lines that are deeper, up to the next that is not. */
  function below(at: number): number[] {
    const found: number[] = [];
    const isDeeper = (i: number): boolean => (indents[i] as number) > (indents[at] as number);
    for (let i = at + 1; i < lines.length && (empty[i] || isDeeper(i)); i++) found.push(i);
    return found;
  }
}
