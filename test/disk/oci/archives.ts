import { entryHeader, type OutEntry } from '../../../src/disk/oci/tar-entry.ts';
import { tarPadding } from '../../../src/disk/formats/tar-header.ts';

export interface Member extends Partial<Omit<OutEntry, 'path' | 'type' | 'size' | 'xattrs'>> {
  readonly path: string;
  readonly type?: OutEntry['type'];
  readonly data?: string;
  /** `data` holds a byte a character. */
  readonly binary?: boolean;
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** A tar archive of these members, whatever their names are. */
export function archiveOf(members: readonly Member[]): Buffer {
  const parts = members.flatMap(({ path, type = '0', data = '', binary, xattrs = {}, ...facts }) => {
    const content = Buffer.from(data, binary ? 'latin1' : 'utf8');
    const attributes = new Map(Object.entries(xattrs).map(([k, v]) => [k, Buffer.from(v)]));
    const mode = type === '5' ? 0o755 : 0o644;
    const header = entryHeader({
      mode,
      uid: 0,
      gid: 0,
      mtime: 1_600_000_000,
      ...facts,
      path,
      type,
      size: content.length,
      xattrs: attributes,
    });
    return [header, content, tarPadding(content.length)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** The bytes in pieces of `size`, as a network brings them. */
export async function* inPieces(bytes: Buffer, size = 700): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
