/**
 * Lines of a netplan file without MAC addresses. Where a `match:` was of nothing else it goes, with the `set-name:`
 * that needs one (netplan refuses both), so that the definition holds for the card of its own name.
 */
export function withoutNetplanMacs(lines: readonly string[]): readonly string[] {
  const dropped = new Set<number>();
  const empty = (at: number): boolean => lines[at]?.trim() === '' || /^\s*#/.test(lines[at] ?? '');
  for (const [i, line] of lines.entries()) {
    if (/^\s*(- )?macaddress:/.test(line)) dropped.add(i);
    else if (/^\s*match:\s*\{\s*macaddress:[^,}]*\}\s*(#.*)?$/.test(line)) dropMatch(i);
  }
  for (const [i, line] of lines.entries()) {
    if (!/^\s*match:\s*(#.*)?$/.test(line)) continue;
    const inside = below(i);
    if (inside.some((at) => dropped.has(at)) && inside.every((at) => dropped.has(at) || empty(at)))
      dropMatch(i);
  }
  return lines.filter((_line, i) => !dropped.has(i));

  function dropMatch(at: number): void {
    dropped.add(at);
    for (const sibling of siblings(at)) {
      if (/^\s*set-name:/.test(lines[sibling] ?? '')) dropped.add(sibling);
    }
  }

  /** Lines with more indentation, up to the next with as little. */
  function below(at: number): number[] {
    const found: number[] = [];
    for (let i = at + 1; i < lines.length && (empty(i) || indent(i) > indent(at)); i++) found.push(i);
    return found;
  }

  /** Lines of the same mapping. */
  function siblings(at: number): number[] {
    const found: number[] = [];
    const inMapping = (i: number): boolean => empty(i) || indent(i) >= indent(at);
    for (let i = at - 1; i >= 0 && inMapping(i); i--) if (indent(i) === indent(at)) found.push(i);
    for (let i = at + 1; i < lines.length && inMapping(i); i++) if (indent(i) === indent(at)) found.push(i);
    return found;
  }

  function indent(at: number): number {
    return /^ */.exec(lines[at] ?? '')?.[0].length ?? 0;
  }
}
