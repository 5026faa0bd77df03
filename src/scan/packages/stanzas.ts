export type Stanza = ReadonlyMap<string, string>;

/**
 * Paragraphs of Debian's control syntax (deb822(5)): field names in lower case, values with their continuation lines.
 * A line that is neither is handed to `bad` with its number.
 */
export function parseStanzas(text: string, bad: (line: number, content: string) => void): Stanza[] {
  const stanzas: Stanza[] = [];
  let fields = new Map<string, string>();
  let last: string | undefined;
  const end = (): void => {
    if (fields.size > 0) stanzas.push(fields);
    fields = new Map();
    last = undefined;
  };
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') end();
    else if (/^[ \t]/.test(line)) {
      if (last === undefined) bad(index + 1, line);
      else fields.set(last, `${fields.get(last)}\n${line}`);
    } else if (!line.startsWith('#')) {
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
      if (!/^[!-9;-~]+$/.test(name)) {
        bad(index + 1, line);
        continue;
      }
      fields.set(name, line.slice(colon + 1).trim());
      last = name;
    }
  }
  end();
  return stanzas;
}
