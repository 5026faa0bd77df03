import { TAR_BLOCK, tarHeader, tarPadding } from './tar-header.ts';

/** A PAX record (pax(1), "pax Extended Header"); values are bytes: those of extended attributes are not text. */
export type PaxRecord = readonly [key: string, value: Buffer];

/** Splits the data of an extended header; throws a RangeError where it is malformed. */
export function parsePax(data: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < data.length; ) {
    const blank = data.indexOf(' ', at);
    const digits = blank < 0 ? '' : data.toString('latin1', at, blank);
    const end = at + Number(digits);
    const equals = data.indexOf('=', blank);
    const wellFormed = /^[1-9]\d{0,9}$/.test(digits) && end <= data.length && equals > blank && equals < end;
    if (!wellFormed || data[end - 1] !== 0x0a) throw new RangeError(`malformed PAX record at byte ${at}`);
    records.push([data.toString('utf8', blank + 1, equals), data.subarray(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** The data of an extended header. */
export function encodePax(records: readonly PaxRecord[]): Buffer {
  return Buffer.concat(
    records.map(([key, value]) => {
      const rest = Buffer.byteLength(key) + value.length + 3; // blank, equals sign, line feed
      let length = rest + String(rest).length;
      if (String(length).length > String(rest).length) length++;
      return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')]);
    }),
  );
}

/** An extended header with its data, for the member that follows (`x`) or for the archive (`g`). */
export function paxMember(type: 'x' | 'g', records: readonly PaxRecord[], mtime: number): Buffer {
  const data = encodePax(records);
  const header = tarHeader({
    name: type === 'x' ? 'PaxHeaders/member' : 'pax_global_header',
    size: data.length,
    mtime,
    type,
  });
  return Buffer.concat([header, data, tarPadding(data.length)]);
}

/** Whether a block is all zeros: the end of an archive. */
export function isEndOfArchive(block: Buffer): boolean {
  return block.length === TAR_BLOCK && block.every((byte) => byte === 0);
}
