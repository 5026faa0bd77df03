import {
  addToGossFile,
  DESCRIBED_TYPES,
  type DescribedThing,
  describeAll,
  describeThing,
  fullName,
  imageAlone,
  withMachine,
} from '../checks/goss-add.ts';
import { ExitCode, IngotError } from '../core/error.ts';
import type { BootedAs } from '../checks/goss.ts';
import { contextOf } from './goss.ts';
import { openDiskImage } from './goss-image.ts';
import { recoverAll } from './recover.ts';
import { type Deps, openSession } from './session.ts';

export interface GossAddOptions {
  readonly image: string;
  readonly file: string;
  /** A resource type, or `auto` for all that have this name. */
  readonly type: string;
  readonly names: readonly string[];
  readonly boot: boolean;
  readonly machine: BootedAs;
}

/** Types whose things are in the files of an image. */
const ON_DISK: ReadonlySet<string> = new Set(['file', 'package', 'user', 'group', 'mount', 'kernel-param']);

/** `ingot test IMAGE --add` and `--autoadd`: writes the image's own state into a goss file. */
export async function addFromImage(o: GossAddOptions, deps: Deps): Promise<readonly DescribedThing[]> {
  if (o.type === 'goss') {
    const includes = o.names.map((name) => ({ type: 'gossfile', name, described: {} }));
    addToGossFile(o.file, includes);
    return includes;
  }
  if (o.type !== 'auto' && !DESCRIBED_TYPES.includes(o.type)) {
    throw new IngotError('goss/unknown-type', `--add can't add ${JSON.stringify(o.type)}`, {
      hint: `Known: ${[...DESCRIBED_TYPES, 'goss'].sort().join(', ')}.`,
      exitCode: ExitCode.Usage,
    });
  }
  const session = openSession(deps);
  await recoverAll(session.paths);
  const ctx = contextOf(session);
  await using image = await openDiskImage(o.image, ctx);
  const needsBoot =
    o.boot && !ON_DISK.has(o.type) && !(o.type === 'auto' && o.names.every((n) => n.startsWith('/')));
  const around = needsBoot
    ? withMachine(image.root, await image.boot(o.machine), o.machine)
    : imageAlone(image.root);
  const added: DescribedThing[] = [];
  for (const name of o.names) {
    if (o.type === 'auto') {
      const found = await describeAll(name, around);
      if (found.length === 0)
        throw new IngotError('goss/nothing-found', `the image has nothing named ${JSON.stringify(name)}`, {
          hint: 'autoadd looks for files (by their path), packages, services, users, groups, processes and ports.',
        });
      added.push(...found);
    } else {
      const full = fullName(o.type, name);
      added.push({ type: o.type, name: full, described: await describeThing(o.type, full, around.system) });
    }
  }
  addToGossFile(o.file, added);
  return added;
}
