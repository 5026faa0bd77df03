import { IngotError } from '../../core/error.ts';

/** Owner, mode and time of a folder, for when an upper layer brings something into it. */
export interface FolderFacts {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

/** What is at a path after the layers so far. */
export interface TreeNode {
  readonly kind: 'folder' | 'link' | 'file';
  /** Number of the layer that wrote it last. */
  layer: number;
  /** Of a folder. */
  facts?: FolderFacts;
  readonly children?: Map<string, TreeNode>;
  /** Of a link. */
  readonly target?: string;
}

/** As many links as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;
/** Longest path and name that Linux takes (limits.h). */
const MAX_PATH = 4095;
const MAX_NAME = 255;

export const NEW_FOLDER: FolderFacts = { mode: 0o755, uid: 0, gid: 0, mtime: 0, xattrs: new Map() };

/** Names, kinds and folders' facts of an image's filesystem, layer by layer; no content. */
export class ImageTree {
  readonly root: TreeNode = { kind: 'folder', layer: -1, facts: NEW_FOLDER, children: new Map() };

  /**
   * The folder in which the last of `names` lies, with links followed inside the image, and the path of that folder.
   * `visit` sees every folder on the way, also those that are made because nothing is there.
   */
  parentOf(
    names: readonly string[],
    visit: (node: TreeNode, path: readonly string[]) => void,
    make: boolean,
  ): { readonly folder: TreeNode; readonly path: readonly string[] } | undefined {
    const todo = names.slice(0, -1).reverse();
    let way: { node: TreeNode; name: string }[] = [];
    let links = 0;
    const here = (): TreeNode => way.at(-1)?.node ?? this.root;
    for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        way.pop();
        continue;
      }
      let next = childrenOf(here()).get(name);
      if (next?.kind === 'link') {
        if (++links > MAX_LINKS) throw badLayer(`${shown(names)} leads through more than ${MAX_LINKS} links`);
        if (next.target?.startsWith('/')) way = [];
        todo.push(...(next.target ?? '').split('/').reverse());
        continue;
      }
      if (next?.kind === 'file') throw badLayer(`${shown(names)} lies in a file, which ${name} is`);
      if (!next) {
        if (!make) return undefined;
        next = { kind: 'folder', layer: -1, facts: NEW_FOLDER, children: new Map() };
        childrenOf(here()).set(name, next);
      }
      way.push({ node: next, name });
    }
    const path = way.map(({ name }) => name);
    visit(this.root, []);
    for (const [i, { node }] of way.entries()) visit(node, path.slice(0, i + 1));
    return { folder: here(), path };
  }

  /** Forgets what lower layers have below a folder. */
  static hideLower(folder: TreeNode, layer: number): void {
    for (const [name, child] of childrenOf(folder)) {
      if (child.layer !== layer) childrenOf(folder).delete(name);
      else if (child.kind === 'folder') ImageTree.hideLower(child, layer);
    }
  }
}

export function childrenOf(folder: TreeNode): Map<string, TreeNode> {
  if (!folder.children) throw new Error('only folders have children');
  return folder.children;
}

/** The components of a member's name. Throws `disk/bad-layer` for one that leads out of the image. */
export function splitName(name: string): string[] {
  const names = name.split('/').filter((part) => part !== '' && part !== '.');
  if (names.includes('..')) throw badLayer(`${JSON.stringify(name.slice(0, 200))} leads out of the image`);
  if (name.includes('\0')) throw badLayer(`${JSON.stringify(name.slice(0, 200))} holds a NUL byte`);
  if (name.includes('\ufffd')) throw badLayer(`${JSON.stringify(name.slice(0, 200))} is not UTF-8`);
  if (Buffer.byteLength(name) > MAX_PATH || names.some((part) => Buffer.byteLength(part) > MAX_NAME))
    throw badLayer(`a name of ${Buffer.byteLength(name)} bytes is longer than Linux takes`);
  return names;
}

export function badLayer(what: string, cause?: unknown): IngotError {
  return new IngotError('disk/bad-layer', `the image's layer cannot be unpacked: ${what}`, {
    hint: 'Build the image again, or start from another one; nothing of this layer was kept.',
    ...(cause !== undefined && { cause }),
  });
}

function shown(names: readonly string[]): string {
  return JSON.stringify(names.join('/').slice(0, 200));
}
