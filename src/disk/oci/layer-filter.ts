import { TAR_BLOCK, tarPadding } from '../formats/tar-header.ts';
import { badLayer, childrenOf, type FolderFacts, ImageTree, splitName, type TreeNode } from './image-tree.ts';
import { entryHeader, folderEntry, type OutEntry, whiteoutEntry } from './tar-entry.ts';
import type { TarMember } from './tar-reader.ts';

/** What one layer may hold. */
export interface LayerLimits {
  readonly members: number;
  /** Bytes of all files. */
  readonly bytes: number;
}

export interface LayerCounts {
  members: number;
  bytes: number;
  /** Device nodes, which are left out: a machine brings its own /dev. */
  devices: number;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** Largest user or group id; the one above means "none" (chown(2)). */
const MAX_ID = 2 ** 32 - 2;

/**
 * Turns the members of an image's layer (image-spec, layer.md) into an archive that any tar may unpack into an empty
 * folder, which then is an overlayfs upper folder. Names are plain, and every folder on the way to one comes before
 * it: no member is reached through a link. Links in folders' places are followed inside the image, as the merged
 * filesystem has them. Whiteouts become devices 0:0, opaque marks overlayfs' attribute; the archive's own devices and
 * attributes of overlayfs are left out. `layer` counts from 0; `tree` knows the layers below and learns this one.
 * Throws `disk/bad-layer`.
 */
export async function* filterLayer(
  members: AsyncIterable<TarMember>,
  tree: ImageTree,
  layer: number,
  limits: LayerLimits,
  counts: LayerCounts,
): AsyncGenerator<Buffer> {
  const whiteouts = new Map<string, { folder: TreeNode; name: string }>();
  const opaque = new Map<TreeNode, string>();
  const out: Buffer[] = [];
  /** A folder on the way to what this layer has is part of the layer, with the facts that it has below. */
  const bring = (node: TreeNode, path: readonly string[]): void => {
    if (node.layer === layer) return;
    node.layer = layer;
    if (node.facts) out.push(folderEntry(path.join('/'), node.facts));
  };
  bring(tree.root, []);

  for await (const member of members) {
    yield* out.splice(0);
    if (++counts.members > limits.members) throw badLayer(`it has more than ${limits.members} files`);
    const names = splitName(member.name);
    const name = names.at(-1);
    if (name?.startsWith(WHITEOUT)) {
      if (layer > 0) hide(names, name);
      continue;
    }
    const facts = factsOf(member);
    if (name === undefined) {
      if (member.type !== '5') throw badLayer('the root is no folder');
      tree.root.facts = facts;
      yield folderEntry('', facts);
      continue;
    }
    if (member.type === '3' || member.type === '4') {
      counts.devices++;
      continue;
    }
    const parent = tree.parentOf(names, bring, true) as NonNullable<ReturnType<ImageTree['parentOf']>>;
    yield* out.splice(0);
    const path = [...parent.path, name].join('/');
    const siblings = childrenOf(parent.folder);
    const before = siblings.get(name);
    if (member.type === '5') {
      const children = before?.kind === 'folder' ? before.children : undefined;
      siblings.set(name, { kind: 'folder', layer, facts, children: children ?? new Map() });
      yield folderEntry(path, facts);
      continue;
    }
    if (before?.kind === 'folder' && before.layer === layer)
      throw badLayer(`${path} is a folder, and then something else`);
    const entry: Omit<OutEntry, 'type'> = { ...facts, path: `./${path}` };
    if (member.type === '1') {
      const target = linkTarget(member);
      if (target === path) continue;
      yield entryHeader({ ...entry, type: '1', linkName: `./${target}`, xattrs: new Map() });
    } else if (member.type === '2') {
      if (member.linkName === '' || Buffer.byteLength(member.linkName) > 4095)
        throw badLayer(`the link ${path} leads to a name of ${member.linkName.length} characters`);
      yield entryHeader({ ...entry, type: '2', linkName: member.linkName });
    } else if (member.type === '6') {
      yield entryHeader({ ...entry, type: '6' });
    } else {
      counts.bytes += member.size;
      if (counts.bytes > limits.bytes) throw badLayer(`its files have more than ${limits.bytes} bytes`);
      yield entryHeader({ ...entry, type: '0', size: member.size });
      yield* member.content();
      yield tarPadding(member.size);
    }
    siblings.set(
      name,
      member.type === '2' ? { kind: 'link', layer, target: member.linkName } : { kind: 'file', layer },
    );
  }
  yield* out.splice(0);
  for (const [path, { folder, name }] of whiteouts) {
    const now = childrenOf(folder).get(name);
    if (!now) yield whiteoutEntry(path);
    else if (now.kind === 'folder') opaque.set(now, path);
  }
  for (const [folder, path] of opaque) if (folder.facts) yield folderEntry(path, folder.facts, true);
  yield Buffer.alloc(2 * TAR_BLOCK);

  /** Notes a whiteout; what it is about may come before or after it, so that it is written at the end. */
  function hide(names: readonly string[], name: string): void {
    const hidden = name.slice(WHITEOUT.length);
    if (
      name !== OPAQUE &&
      (name.startsWith('.wh..wh.') || hidden === '' || hidden === '.' || hidden === '..')
    )
      return;
    const parent = tree.parentOf(names, bring, false);
    if (!parent) return;
    if (name === OPAQUE) {
      ImageTree.hideLower(parent.folder, layer);
      opaque.set(parent.folder, parent.path.join('/'));
      return;
    }
    const siblings = childrenOf(parent.folder);
    const there = siblings.get(hidden);
    if (!there) return;
    if (there.layer !== layer) siblings.delete(hidden);
    else if (there.kind === 'folder') ImageTree.hideLower(there, layer);
    whiteouts.set([...parent.path, hidden].join('/'), { folder: parent.folder, name: hidden });
  }

  /** The file of this layer that a hard link is another name of. */
  function linkTarget(member: TarMember): string {
    const names = splitName(member.linkName);
    const parent = names.length === 0 ? undefined : tree.parentOf(names, () => {}, false);
    const target = parent && childrenOf(parent.folder).get(names.at(-1) as string);
    if (!parent || target?.layer !== layer || target.kind === 'folder')
      throw badLayer(
        `${member.name} is a hard link to ${member.linkName}, which is no file of the same layer`,
      );
    return [...parent.path, names.at(-1)].join('/');
  }
}

function factsOf(member: TarMember): FolderFacts {
  for (const id of [member.uid, member.gid])
    if (id < 0 || id > MAX_ID) throw badLayer(`${member.name} belongs to ${id}, which is no user or group`);
  const xattrs = new Map([...member.xattrs].filter(([name]) => isKept(name)));
  const { mode, uid, gid } = member;
  return { mode, uid, gid, mtime: Math.max(0, member.mtime), xattrs };
}

/** Capabilities and what users set; others speak to the kernel of this machine (overlayfs, SELinux, ACLs). */
function isKept(attribute: string): boolean {
  return attribute === 'security.capability' || attribute.startsWith('user.');
}
