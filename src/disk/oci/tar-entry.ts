import { type PaxRecord, paxMember } from '../formats/pax.ts';
import { tarHeader, tarNumber, withChecksum } from '../formats/tar-header.ts';
import { NEW_FOLDER, type FolderFacts } from './image-tree.ts';

export interface OutEntry extends FolderFacts {
  /** Relative to the layer's folder. */
  readonly path: string;
  readonly type: '0' | '1' | '2' | '3' | '5' | '6';
  readonly size?: number;
  readonly linkName?: string;
}

/** Extended attribute by which overlayfs hides what lower layers have in a folder. */
const OPAQUE = 'trusted.overlay.opaque';

/** The header of an archive's member, as GNU tar takes it. */
export function entryHeader(entry: OutEntry): Buffer {
  const { path, linkName = '', xattrs, type } = entry;
  const records: PaxRecord[] = [...xattrs].map(([name, value]) => [`SCHILY.xattr.${name}`, value]);
  const long = (text: string): boolean => Buffer.byteLength(text) > 100;
  if (long(path)) records.push(['path', Buffer.from(path)]);
  if (long(linkName)) records.push(['linkpath', Buffer.from(linkName)]);
  const header = tarHeader({
    name: long(path) ? 'long' : path,
    size: entry.size ?? 0,
    mtime: entry.mtime,
    mode: entry.mode,
  });
  header.write(type, 156, 'latin1');
  tarNumber(header, 108, 8, entry.uid);
  tarNumber(header, 116, 8, entry.gid);
  header.write(long(linkName) ? 'long' : linkName, 157, 'utf8');
  // Owners count by number.
  header.fill(0, 265, 329);
  tarNumber(header, 329, 8, 0);
  tarNumber(header, 337, 8, 0);
  withChecksum(header);
  return records.length === 0 ? header : Buffer.concat([paxMember('x', records, entry.mtime), header]);
}

export function folderEntry(path: string, facts: FolderFacts, opaque = false): Buffer {
  const xattrs = opaque ? new Map([...facts.xattrs, [OPAQUE, Buffer.from('y')]]) : facts.xattrs;
  return entryHeader({ ...facts, path: `./${path}`, type: '5', xattrs });
}

/** The device 0:0 by which overlayfs takes a lower layer's file away (overlayfs.rst, "whiteouts and opaque directories"). */
export function whiteoutEntry(path: string): Buffer {
  return entryHeader({ ...NEW_FOLDER, mode: 0, path: `./${path}`, type: '3' });
}
