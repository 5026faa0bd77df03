import { openRootfs } from '../host/index.ts';
import { compareImages, type ImageDiff, type Side } from '../scan/diff/compare.ts';
import { imageFacts } from '../scan/diff/facts.ts';
import { type OpenImage, openImage } from './open-image.ts';
import { recoverAll } from './recover.ts';
import { type Deps, openSession } from './session.ts';

export { diffPage } from '../scan/diff/html.ts';
export { renderDiff } from '../scan/diff/render.ts';

export interface DiffOptions {
  /** A release, a disk or a folder each. */
  readonly before: string;
  readonly after: string;
  readonly store?: string;
}

/** `ingot diff`: what differs between two images. */
export async function diffImages(o: DiffOptions, deps: Deps): Promise<ImageDiff> {
  const session = openSession(deps);
  await recoverAll(session.paths);
  const store = o.store === undefined ? {} : { store: o.store };
  await using before = await openImage({ image: o.before, ...store }, session, deps);
  await using after = await openImage({ image: o.after, ...store }, session, deps);
  return compareImages(sideOf(o.before, before), sideOf(o.after, after));
}

function sideOf(label: string, image: OpenImage): Side {
  const { disk, release } = image;
  const outputs =
    release?.outputs.map(({ format, size }): [string, number] => [`output ${format}`, size]) ?? [];
  const sizes = {
    ...(disk && { 'bytes of the disk': disk.virtualSize, 'bytes of its file': disk.fileSize }),
    ...Object.fromEntries(outputs),
  };
  return { label, facts: imageFacts(openRootfs(image.dir)), sizes };
}
