/**
 * A value as goss sees it. Whole numbers are bigint and others number, since `equal` tells 42 from 42.0; text that is
 * read line by line is a Reader, a list of texts from the system Strings (Go's `[]string`).
 */
export type GoValue =
  | null
  | boolean
  | string
  | bigint
  | number
  | Strings
  | Reader
  | GoTime
  | readonly GoValue[]
  | GoMap;

/** A map with text keys, in the order written. */
export type GoMap = ReadonlyMap<string, GoValue>;

/** Texts that the system gave: they print as a list, and match `have-patterns` line by line. */
export class Strings {
  readonly items: readonly string[];

  constructor(items: readonly string[]) {
    this.items = items;
  }
}

/** Longest line, as in goss's scanner. */
const MAX_LINE = 1024 * 1024;
/** Most bytes that are taken as one text; beyond, only patterns line by line work. */
const MAX_TEXT = 64 * 1024 * 1024;

/** A stream is too long, or has too long a line. */
export class ReaderError extends Error {}

/** Text that is read as a stream, so that a huge log costs no memory. `typeName` is what goss's reports call it. */
export class Reader {
  readonly #chunks: () => Iterable<Uint8Array>;
  readonly typeName: string;

  /** `chunks` throws ReaderError where reading fails. */
  constructor(chunks: () => Iterable<Uint8Array>, typeName: string) {
    this.#chunks = chunks;
    this.typeName = typeName;
  }

  static of(text: string, typeName: string): Reader {
    return new Reader(() => [Buffer.from(text)], typeName);
  }

  text(): string {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (const chunk of this.#chunks()) {
      size += chunk.length;
      if (size > MAX_TEXT)
        throw new ReaderError(
          `longer than ${MAX_TEXT} bytes: only a list of patterns can be compared with such a text`,
        );
      parts.push(chunk);
    }
    return Buffer.concat(parts).toString();
  }

  /** Lines without their ends (`\n`, `\r\n`). */
  *lines(): Generator<string> {
    let rest: Buffer = Buffer.alloc(0);
    for (const chunk of this.#chunks()) {
      const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
      let from = 0;
      for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, from)) {
        if (end - from >= MAX_LINE) throw new ReaderError('bufio.Scanner: token too long');
        yield line(bytes.subarray(from, end));
        from = end + 1;
      }
      rest = bytes.subarray(from);
      if (rest.length >= MAX_LINE) throw new ReaderError('bufio.Scanner: token too long');
    }
    if (rest.length > 0) yield line(rest);
  }
}

function line(bytes: Buffer): string {
  return bytes.toString('utf8', 0, bytes.at(-1) === 13 ? bytes.length - 1 : bytes.length);
}

/** A plain date of the YAML file, in UTC. */
export class GoTime {
  /** `2020-01-01T00:00:00Z` */
  readonly rfc3339: string;

  constructor(rfc3339: string) {
    this.rfc3339 = rfc3339;
  }
}

const appended = new WeakSet<readonly GoValue[]>();

/** A list that Go's JSON decoder makes: filled one by one, so that its capacity is more than its length. */
export function appendedList(items: readonly GoValue[]): readonly GoValue[] {
  appended.add(items);
  return items;
}

/** Go's `cap` of a list: with append it doubles. */
export function capacityOf(list: readonly GoValue[]): number {
  return appended.has(list) && list.length > 0 ? 2 ** Math.ceil(Math.log2(list.length)) : list.length;
}

export function isMap(value: unknown): value is GoMap {
  return value instanceof Map;
}

export function isList(value: GoValue): value is readonly GoValue[] {
  return Array.isArray(value);
}

/** Elements of a list, texts of Strings, values of a map by key: what a loop over the value sees. */
export function elementsOf(value: GoValue): readonly GoValue[] | undefined {
  if (isList(value)) return value;
  if (value instanceof Strings) return value.items;
  if (isMap(value)) return sortedEntries(value).map(([, item]) => item);
  return undefined;
}

export function sortedEntries(map: GoMap): (readonly [string, GoValue])[] {
  return [...map].sort(([a], [b]) => compareBytes(a, b));
}

/** Go's order of strings: that of their UTF-8 bytes. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Whether two values are the same in type and content (reflect.DeepEqual). */
export function sameValue(a: GoValue, b: GoValue): boolean {
  if (a === b) return true;
  if (a instanceof Strings || b instanceof Strings) {
    return (
      a instanceof Strings &&
      b instanceof Strings &&
      a.items.length === b.items.length &&
      a.items.every((item, i) => item === b.items[i])
    );
  }
  if (a instanceof GoTime || b instanceof GoTime)
    return a instanceof GoTime && b instanceof GoTime && a.rfc3339 === b.rfc3339;
  if (a instanceof Reader || b instanceof Reader) return false;
  if (isMap(a) || isMap(b)) {
    if (!isMap(a) || !isMap(b) || a.size !== b.size) return false;
    return [...a].every(([key, value]) => b.has(key) && sameValue(value, b.get(key) as GoValue));
  }
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  return a.length === b.length && a.every((item, i) => sameValue(item, b[i] as GoValue));
}
