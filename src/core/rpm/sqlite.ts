/** What is wrong with a database file. */
export class SqliteDamage extends Error {}

export type SqliteValue = null | number | bigint | string | Uint8Array;

const HEADER = 'SQLite format 3\0';
const INTERIOR = 0x05;
const LEAF = 0x0d;

/**
 * The rows of one table of an SQLite database, in the order of their row ids (sqlite.org/fileformat2.html). Read from
 * the file's bytes alone; what is only in a write-ahead log is not seen. Throws SqliteDamage.
 */
export function readSqliteTable(file: Uint8Array, table: string): SqliteValue[][] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < 512 || bytes.toString('latin1', 0, 16) !== HEADER)
    throw new SqliteDamage('it is no SQLite database');
  const stored = bytes.readUInt16BE(16);
  const pageSize = stored === 1 ? 65_536 : stored;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0)
    throw new SqliteDamage(`its page size is ${pageSize}`);
  if (bytes.readUInt32BE(56) > 1) throw new SqliteDamage('its text is not UTF-8');
  const reader = new Pages(bytes, pageSize, pageSize - (bytes[20] as number));
  const schema = reader.rows(1).find(([type, name]) => type === 'table' && name === table);
  const rootPage = schema?.[3];
  if (typeof rootPage !== 'number') throw new SqliteDamage(`it has no table ${table}`);
  return reader.rows(rootPage);
}

class Pages {
  readonly #bytes: Buffer;
  readonly #size: number;
  readonly #usable: number;

  constructor(bytes: Buffer, size: number, usable: number) {
    this.#bytes = bytes;
    this.#size = size;
    this.#usable = usable;
  }

  /** All rows of the table whose tree begins at page `root`. Every page is read once: a cycle is damage. */
  rows(root: number): SqliteValue[][] {
    const rows: SqliteValue[][] = [];
    const seen = new Set<number>();
    const open = [root];
    for (let page = open.pop(); page !== undefined; page = open.pop()) {
      if (seen.has(page)) throw new SqliteDamage(`page ${page} is in its tree twice`);
      seen.add(page);
      const start = this.#start(page);
      const header = start + (page === 1 ? 100 : 0);
      const type = this.#bytes[header];
      const cells = this.#u16(header + 3);
      if (type !== LEAF && type !== INTERIOR) throw new SqliteDamage(`page ${page} is no page of a table`);
      const pointers = header + (type === LEAF ? 8 : 12);
      const children: number[] = [];
      for (let i = 0; i < cells; i++) {
        const cell = start + this.#u16(pointers + 2 * i);
        if (type === LEAF) rows.push(this.#record(this.#payload(cell)));
        else children.push(this.#u32(cell));
      }
      if (type === INTERIOR) children.push(this.#u32(header + 8));
      open.push(...children.reverse());
    }
    return rows;
  }

  /** A cell's payload, with what lies on overflow pages. */
  #payload(cell: number): Buffer {
    const [length, afterLength] = this.#varint(this.#bytes, cell);
    const [, at] = this.#varint(this.#bytes, afterLength);
    if (length > this.#bytes.length) throw new SqliteDamage('a row is longer than the file');
    const most = this.#usable - 35;
    if (length <= most) return this.#slice(at, length);
    const least = Math.floor(((this.#usable - 12) * 32) / 255) - 23;
    const fitting = least + ((length - least) % (this.#usable - 4));
    const local = fitting <= most ? fitting : least;
    const parts = [this.#slice(at, local)];
    let left = length - local;
    for (let page = this.#u32(at + local); left > 0; ) {
      if (page === 0) throw new SqliteDamage('a row ends before its length');
      const start = this.#start(page);
      const part = this.#slice(start + 4, Math.min(left, this.#usable - 4));
      parts.push(part);
      left -= part.length;
      page = this.#u32(start);
    }
    return Buffer.concat(parts);
  }

  /** Columns of a record: a header of types, then the values. */
  #record(payload: Buffer): SqliteValue[] {
    const [headerSize, first] = this.#varint(payload, 0);
    let type = first;
    let at = headerSize;
    const values: SqliteValue[] = [];
    while (type < headerSize) {
      const [serial, next] = this.#varint(payload, type);
      type = next;
      const [value, size] = column(payload, at, serial);
      values.push(value);
      at += size;
    }
    return values;
  }

  #start(page: number): number {
    const start = (page - 1) * this.#size;
    if (page < 1 || start + this.#size > this.#bytes.length)
      throw new SqliteDamage(`page ${page} is behind the end of the file`);
    return start;
  }

  #slice(at: number, length: number): Buffer {
    if (at + length > this.#bytes.length) throw new SqliteDamage('a row leads behind the end of the file');
    return this.#bytes.subarray(at, at + length);
  }

  #u16(at: number): number {
    return this.#slice(at, 2).readUInt16BE();
  }

  #u32(at: number): number {
    return this.#slice(at, 4).readUInt32BE();
  }

  /** Value, and where it ends. */
  #varint(bytes: Buffer, from: number): [number, number] {
    let value = 0;
    for (let i = 0; i < 9; i++) {
      const byte = bytes[from + i];
      if (byte === undefined) throw new SqliteDamage('a number leads behind the end of the file');
      if (i === 8) return [value * 256 + byte, from + 9];
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return [value, from + i + 1];
    }
    throw new SqliteDamage('a number has no end');
  }
}

/** Sizes of integers by their serial type. */
const INTEGERS = [0, 1, 2, 3, 4, 6, 8];

function column(payload: Buffer, at: number, serial: number): [SqliteValue, number] {
  const size =
    serial < 7 ? (INTEGERS[serial] as number) : serial === 7 ? 8 : serial < 12 ? 0 : (serial - 12) >> 1;
  if (at + size > payload.length) throw new SqliteDamage('a column leads behind the end of its row');
  if (serial === 0) return [null, 0];
  if (serial === 6) return [payload.readBigInt64BE(at), 8];
  if (serial < 6) return [payload.readIntBE(at, size), size];
  if (serial === 7) return [payload.readDoubleBE(at), 8];
  if (serial === 8 || serial === 9) return [serial - 8, 0];
  const bytes = payload.subarray(at, at + size);
  return [serial % 2 === 0 ? bytes : bytes.toString('utf8'), size];
}
