import { posix } from 'node:path';
import type { Rootfs } from '../../../core/rootfs.ts';
import { type GossResource, optionFlag, subjectOf } from '../resource.ts';
import { readUsers, textIfThere } from '../systems/accounts.ts';
import { unitFile, wantedUnits } from '../systems/enabled-units.ts';
import type { ImageSystem } from '../systems/image-system.ts';
import { askedChecks } from '../evaluate.ts';
import { groupMutations, userMutations } from './account-mutations.ts';
import { addedFiles } from './added-files.ts';
import { type DpkgFacts, readDpkgFacts } from './dpkg-facts.ts';
import { fileMutations } from './file-mutations.ts';
import { type DiskMutation, type Mutation, type Origin, spread, type StopMutation } from './mutation.ts';
import { packageMutations } from './package-mutations.ts';
import { mountMutations, parameterMutations } from './setting-mutations.ts';
import { stopMutation, unitMutations } from './unit-mutations.ts';

/** adduser(8): what people and programs of the image's own get. */
const isOwnUid = (uid: number): boolean => uid >= 1000 && uid < 60_000;

export interface FoundMutations {
  readonly disk: readonly DiskMutation[];
  readonly booted: readonly StopMutation[];
  /** How many there are without the limit. */
  readonly all: number;
}

/**
 * The mutations of an image, the same for the same image and goss file: of all that the file names, then of what the image
 * brings beside its packages' defaults. Of more than `limit` those that are named come first, and of the others as many of
 * each kind.
 */
export function findMutations(
  resources: readonly GossResource[],
  root: Rootfs,
  image: ImageSystem,
  limit: number,
): FoundMutations {
  const named = namedMutations(resources, root, image);
  const taken = new Set(named.map(subjectKey));
  const own = ownMutations(root).filter((mutation) => !taken.has(subjectKey(mutation)));
  const chosen =
    named.length >= limit ? spread(named, limit) : [...named, ...shared(own, limit - named.length)];
  return {
    disk: chosen.filter((m): m is DiskMutation => 'apply' in m),
    booted: chosen.filter((m): m is StopMutation => 'unit' in m),
    all: named.length + own.length,
  };
}

type Found = DiskMutation | StopMutation;

/** A stop is a fact of its own: a file that only asks whether a unit is enabled does not name it. */
function subjectKey(m: Found): string {
  return `${m.type}\0${m.subject.replace(/\.service$/, '')}\0${'unit' in m ? 'stopped' : ''}`;
}

function namedMutations(resources: readonly GossResource[], root: Rootfs, image: ImageSystem): Found[] {
  return resources
    .filter((resource) => !optionFlag(resource, 'skip'))
    .flatMap((resource) => mutationsOf(resource, root, image));
}

function mutationsOf(resource: GossResource, root: Rootfs, image: ImageSystem): Found[] {
  const subject = subjectOf(resource);
  const checks = askedChecks(resource).map(({ name }) => name);
  const stops =
    resource.type === 'service' && checks.includes('running') && resource.attributes.get('running') === true
      ? [stopMutation(subject, 'named')]
      : [];
  if (!checks.some((name) => image.decides(resource, name))) return stops;
  switch (resource.type) {
    case 'file':
      return fileMutations(root, posix.resolve('/', subject), 'named');
    case 'package':
      return packageMutations(root, subject, 'named');
    case 'user':
      return userMutations(root, subject, 'named');
    case 'group':
      return groupMutations(root, subject, 'named');
    case 'service':
      return [...unitMutations(root, subject, 'named'), ...stops];
    case 'kernel-param':
      return parameterMutations(root, subject);
    case 'mount':
      return mountMutations(root, subject);
    default:
      return [];
  }
}

function ownMutations(root: Rootfs): Found[] {
  const dpkg = readDpkgFacts(root);
  const own: Origin = 'own';
  const units = ownUnits(root, dpkg);
  const users = readUsers(textIfThere(root, '/etc/passwd')).filter((user) => isOwnUid(user.uid));
  const files = dpkg ? [...new Set([...dpkg.changed, ...addedFiles(root, dpkg)])].sort() : [];
  return [
    ...units.flatMap((unit) => unitMutations(root, unit, own)),
    ...units.filter((unit) => unit.endsWith('.service')).map((unit) => stopMutation(unit, own)),
    ...files.flatMap((path) => fileMutations(root, path, own)),
    ...users.flatMap((user) => userMutations(root, user.name, own)),
    ...(dpkg?.asked ?? []).flatMap((name) => packageMutations(root, name, own)),
  ];
}

/** Units that are started at boot, but for those of the base system. */
function ownUnits(root: Rootfs, dpkg: DpkgFacts | undefined): string[] {
  return wantedUnits(root).filter((unit) => {
    const file = unitFile(root, unit);
    const owner = file === undefined ? undefined : dpkg?.owners.get(file.replace(/^\/lib\//, '/usr/lib/'));
    return file !== undefined && file !== 'masked' && (owner === undefined || dpkg?.isBase(owner) !== true);
  });
}

/** As many of each kind, as far apart as they can be; what one kind leaves the others take. */
function shared<M extends Mutation>(mutations: readonly M[], limit: number): M[] {
  const kinds = new Map<string, M[]>();
  for (const mutation of mutations) {
    const kind = `${mutation.type} ${mutation.attribute === 'running'}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), mutation]);
  }
  const groups = [...kinds.values()].sort((a, b) => a.length - b.length);
  const chosen = new Set<M>();
  groups.forEach((group, i) => {
    const share = Math.floor((limit - chosen.size) / (groups.length - i));
    for (const mutation of spread(group, share)) chosen.add(mutation);
  });
  return mutations.filter((mutation) => chosen.has(mutation));
}
