import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { IngotError } from '../../core/error.ts';
import { settleAll } from '../../secrets/settle-all.ts';
import { writeSecretFile } from '../../secrets/write-secret-file.ts';
import type { FileOptions } from '../config.ts';
import type { Filler } from './fill.ts';
import type { AgentMachine } from './machine.ts';
import { makeFolder } from './make-folder.ts';
import { findOwner } from './owner.ts';

/**
 * Makes files from their templates: all values are there before the first file is written, and each file is there as a
 * whole or as it was. Throws all that is missing.
 */
export async function renderFiles(
  files: readonly FileOptions[],
  filler: Filler,
  machine: AgentMachine,
): Promise<void> {
  const filled = await settleAll(
    files.map(async (file) => {
      const template = await readFile(machine.place(file.template), 'utf8');
      const content = await filler.fill(template, `the template of ${file.path}`);
      return { file, content, owner: await findOwner(file.owner, file.group, machine) };
    }),
  );
  for (const { file, content, owner } of filled) {
    const path = machine.place(file.path);
    await makeFolder(dirname(path));
    await refuseStrangersLink(dirname(path));
    await removeParts(path);
    await writeSecretFile(path, content, { mode: file.mode, owner });
  }
}

/**
 * A link on the way that is not root's could lead root's writing anywhere. (Links of root, such as /var/run, are the
 * system's own.)
 */
async function refuseStrangersLink(folder: string): Promise<void> {
  const names = folder.split(sep);
  for (let n = 2; n <= names.length; n++) {
    const path = names.slice(0, n).join(sep);
    const stat = await lstat(path);
    if (!stat.isSymbolicLink() || stat.uid === process.getuid?.()) continue;
    throw new IngotError('firstboot/unsafe-link', `${path} is a link that somebody else than root has made`, {
      hint: 'Write the file to a folder that only root can write, or remove the link.',
    });
  }
}

/** What a power cut has left of an earlier try. */
async function removeParts(path: string): Promise<void> {
  const start = `.${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(start) && /^[0-9a-f]{12}\.part$/.test(name.slice(start.length)))
      await rm(join(dirname(path), name), { force: true });
  }
}
