/** One paragraph of a Debian control file: field names as written, continuation lines joined by newlines. */
export type Stanza = ReadonlyMap<string, string>;

/**
 * Reads control data (deb822(5)): paragraphs of `Field: value` lines. Continuation lines start with a blank;
 * `#` starts a comment line. Lines that are neither are skipped, as apt does.
 */
export function parseControl(text: string): Stanza[] {
  const stanzas: Stanza[] = [];
  let current = new Map<string, string>();
  let field: string | undefined;
  const end = () => {
    if (current.size > 0) stanzas.push(current);
    current = new Map();
    field = undefined;
  };
  for (const raw of text.split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.startsWith('#')) continue;
    if (line.trim() === '') {
      end();
    } else if (line.startsWith(' ') || line.startsWith('\t')) {
      if (field !== undefined) current.set(field, `${current.get(field)}\n${line.slice(1)}`);
    } else {
      const colon = line.indexOf(':');
      if (colon < 1) continue;
      field = line.slice(0, colon);
      current.set(field, line.slice(colon + 1).trim());
    }
  }
  end();
  return stanzas;
}

/** Items of a field whose value is a list of words. */
export function words(value: string | undefined): string[] {
  return (value ?? '').split(/\s+/).filter((word) => word !== '');
}
