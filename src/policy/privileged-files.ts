import type { Context } from '../core/context.ts';
import { dumpXattrs } from '../disk/ext4/xattr-dump.ts';
import { walkImage } from '../host/walk-image.ts';
import { readCapabilities } from './capabilities.ts';
import type { PrivilegedFile } from './privilege-rules.ts';

const SETUID = 0o4000;
const SETGID = 0o2000;

/** Every file of an image that is setuid or setgid or has capabilities, in the order of paths. */
export async function privilegedFiles(
  dir: string,
  ctx: Pick<Context, 'host' | 'signal'>,
): Promise<PrivilegedFile[]> {
  const [attributes] = await dumpXattrs([dir], ctx);
  const found: PrivilegedFile[] = [];
  for (const { path, bytes, stat } of walkImage(dir)) {
    if (!stat.isFile()) continue;
    const value = attributes
      ?.get(bytes.toString('latin1'))
      ?.find(({ name }) => name === 'security.capability')?.value;
    const privileges = [
      ...((stat.mode & SETUID) === 0 ? [] : ['setuid']),
      ...((stat.mode & SETGID) === 0 ? [] : ['setgid']),
      ...(value ? readCapabilities(value) : []),
    ];
    if (privileges.length > 0) found.push({ path, privileges, uid: stat.uid, gid: stat.gid });
  }
  return found;
}
