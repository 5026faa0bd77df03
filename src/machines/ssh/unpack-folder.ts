import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { IngotError } from '../../core/error.ts';

/**
 * Unpacks an archive that a machine has made below `into`: folders and regular files alone, since a link of the
 * machine's could lead to a file of ours. Throws `machine/bad-archive` for a name that leads out.
 */
export async function unpackFolder(archive: string, into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  const entries = extract();
  const reading = pipeline(createReadStream(archive), entries);
  // Told by the loop below, which ends with the same error.
  reading.catch(() => {});
  for await (const entry of entries) {
    const { name, type, mode } = entry.header;
    const target = join(into, inside(name));
    if (type === 'directory') await mkdir(target, { recursive: true });
    else if (type === 'file') {
      await mkdir(dirname(target), { recursive: true });
      await pipeline(entry, createWriteStream(target, { mode: (mode ?? 0o644) & 0o777 }));
      continue;
    }
    entry.resume();
  }
  await reading;
}

function inside(name: string): string {
  const path = normalize(name);
  if (!path.startsWith('/') && path !== '..' && !path.startsWith('../') && !path.includes('\0')) return path;
  throw new IngotError(
    'machine/bad-archive',
    `the machine sent an archive with the name ${JSON.stringify(name)}`,
    {
      hint: 'Its tar has been tampered with; do not trust this machine.',
    },
  );
}
