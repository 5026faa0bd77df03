import type { Rootfs } from '../../core/rootfs.ts';

/** What os-release(5) says of an image; fields that it lacks are absent. */
export interface OsRelease {
  /** `debian` */
  readonly id?: string;
  /** `12` */
  readonly versionId?: string;
  /** `bookworm` */
  readonly codename?: string;
  readonly prettyName?: string;
  readonly imageId?: string;
  readonly imageVersion?: string;
}

const MAX = 64 * 1024;

export function readOsRelease(root: Rootfs): OsRelease {
  const path = ['/etc/os-release', '/usr/lib/os-release'].find((p) => root.exists(p));
  return path === undefined ? {} : parseOsRelease(root.readText(path, MAX));
}

export function parseOsRelease(text: string): OsRelease {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z0-9_]+)=(.*)$/.exec(line.trim());
    if (match) fields.set(match[1] as string, unquote(match[2] as string));
  }
  const pretty = fields.get('PRETTY_NAME');
  const named = {
    id: fields.get('ID'),
    versionId: fields.get('VERSION_ID'),
    codename: fields.get('VERSION_CODENAME'),
    prettyName: pretty,
    imageId: fields.get('IMAGE_ID'),
    imageVersion: fields.get('IMAGE_VERSION'),
  };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined && value !== ''));
}

function unquote(text: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(text);
  return (quoted?.[2] ?? text).replace(/\\(["'$`\\])/g, '$1');
}
