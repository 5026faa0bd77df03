import { posix } from 'node:path';
import type { Removed } from '../core/plugin.ts';
import type { Rootfs } from '../core/rootfs.ts';

/** One change that sealing makes. What is found on a sealed image is what is still wrong with it. */
export type Edit =
  /** A file, a link, or a folder with all that is in it. */
  | { readonly action: 'remove'; readonly path: string; readonly detail?: string }
  /** A regular file, which keeps its owner and mode. */
  | { readonly action: 'empty'; readonly path: string }
  /** A regular file; what is there keeps its owner, and its mode without `mode`. */
  | {
      readonly action: 'write';
      readonly path: string;
      readonly data: string | Uint8Array;
      readonly mode?: number;
      readonly detail?: string;
    }
  | { readonly action: 'link'; readonly path: string; readonly target: string };

/** Makes the changes and says what each was. A path that went with a folder before it is not counted twice. */
export function applyEdits(root: Rootfs, edits: readonly Edit[]): Removed[] {
  return edits.flatMap((edit): Removed[] => {
    const old = root.lstat(edit.path);
    if (edit.action === 'remove') {
      const detail = edit.detail === undefined ? {} : { detail: edit.detail };
      return old ? [{ path: edit.path, action: 'removed', ...root.remove(edit.path), ...detail }] : [];
    }
    const bytes = old?.isFile() ? old.size : 0;
    if (edit.action === 'empty') {
      root.write(edit.path, '');
      return [{ path: edit.path, action: 'emptied', files: 1, bytes }];
    }
    root.mkdir(posix.dirname(edit.path));
    if (edit.action === 'link') {
      root.symlink(edit.path, edit.target);
      return [{ path: edit.path, action: old ? 'rewritten' : 'added', files: 1, bytes }];
    }
    // A link that leads nowhere would be written through, to wherever it points.
    if (old?.isSymbolicLink() && !root.exists(edit.path)) root.remove(edit.path);
    root.write(edit.path, edit.data, edit.mode === undefined ? {} : { mode: edit.mode });
    const detail = edit.detail === undefined ? {} : { detail: edit.detail };
    return [{ path: edit.path, action: old ? 'rewritten' : 'added', files: 1, bytes, ...detail }];
  });
}
