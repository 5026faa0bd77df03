import { readFile, writeFile } from 'node:fs/promises';
import type { Json } from '../../core/digest.ts';
import { layerFile } from '../../core/layer.ts';
import { ImageTree, type TreeNode } from './image-tree.ts';

/** Beside an unpacked layer: what the filesystem is up to it, for the layer that comes on top some day. */
const NOTE = 'tree.json';

export async function writeTreeOf(layer: { readonly dir: string }, tree: ImageTree): Promise<void> {
  await writeFile(layerFile(layer, NOTE), JSON.stringify(pack(tree.root)), { flag: 'wx' });
}

export async function readTreeOf(layer: { readonly dir: string }): Promise<ImageTree> {
  const tree = new ImageTree();
  const { children, facts } = unpack(JSON.parse(await readFile(layerFile(layer, NOTE), 'utf8')) as Packed);
  if (facts) tree.root.facts = facts;
  for (const [name, child] of children ?? []) tree.root.children?.set(name, child);
  return tree;
}

/** A file is 0, a link its target, a folder its facts and children. Which layer wrote it counts no more. */
type Packed =
  | 0
  | string
  | { readonly f: readonly [number, number, number, number, Json]; readonly c: Children };
type Children = Readonly<Record<string, Packed>>;

function pack(node: TreeNode): Packed {
  if (node.kind === 'file') return 0;
  if (node.kind === 'link') return node.target ?? '';
  const { mode = 0o755, uid = 0, gid = 0, mtime = 0, xattrs = new Map<string, Buffer>() } = node.facts ?? {};
  const attributes = Object.fromEntries([...xattrs].map(([name, value]) => [name, value.toString('base64')]));
  const c = Object.create(null) as Record<string, Packed>;
  for (const [name, child] of node.children ?? []) c[name] = pack(child);
  return { f: [mode, uid, gid, mtime, attributes], c };
}

function unpack(packed: Packed): TreeNode {
  if (packed === 0) return { kind: 'file', layer: -1 };
  if (typeof packed === 'string') return { kind: 'link', layer: -1, target: packed };
  const [mode, uid, gid, mtime, attributes] = packed.f;
  const xattrs = new Map(
    Object.entries(attributes as Record<string, string>).map(([k, v]) => [k, Buffer.from(v, 'base64')]),
  );
  const children = new Map(Object.entries(packed.c).map(([name, child]) => [name, unpack(child)]));
  return { kind: 'folder', layer: -1, facts: { mode, uid, gid, mtime, xattrs }, children };
}
