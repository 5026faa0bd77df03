import { existsSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { sha256 } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import { EVIDENCE_TYPE, type EvidenceBundle, type EvidenceOutput } from '../core/evidence.ts';
import { releaseEvidence } from '../release/evidence.ts';
import { lookupRelease } from '../release/lookup.ts';
import { type BomPackage, readBom } from '../scan/sbom/read.ts';
import { parseEvidence } from './evidence-schema.ts';
import { storeOf } from './release.ts';
import type { Deps } from './session.ts';

/** An evidence bundle with what its page also shows. */
export interface EvidenceReport {
  readonly bundle: EvidenceBundle;
  /** From its bill of materials, where that is at hand. */
  readonly packages?: readonly BomPackage[];
}

export interface ReportOptions {
  /** A release (`web@1.2.0`), a file of evidence, or a folder that has some, in itself or in its `output-*`. */
  readonly what: string;
  readonly store?: string;
}

/** `ingot report`: the evidence of a release, or of builds. Throws `report/none`, `report/bad-evidence`, `release/*`. */
export async function readEvidence(o: ReportOptions, deps: Deps): Promise<EvidenceReport[]> {
  const path = resolve(o.what);
  if (!existsSync(path)) return [await released(o, deps)];
  if (!statSync(path).isDirectory()) return [await fromFile(path)];
  const files = await evidenceIn(path);
  if (files.length === 0) {
    throw new IngotError('report/none', `there is no evidence in ${o.what}`, {
      hint: 'Expected *.evidence.json there or in output-*; `ingot build` writes it beside outputs that have tests or a release.',
    });
  }
  const reports: EvidenceReport[] = [];
  for (const file of files) reports.push(await fromFile(file));
  return reports;
}

async function evidenceIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const names = entries.map((e) => e.name).sort();
  const own = names.filter((name) => name.endsWith('.evidence.json'));
  if (own.length > 0) return own.map((name) => join(dir, name));
  const below: string[] = [];
  for (const name of names.filter((n) => n.startsWith('output-')))
    if (statSync(join(dir, name)).isDirectory()) {
      const found = await readdir(join(dir, name));
      below.push(...found.filter((n) => n.endsWith('.evidence.json')).map((n) => join(dir, name, n)));
    }
  return below.sort();
}

async function fromFile(path: string): Promise<EvidenceReport> {
  const bundle = parseEvidence(await readFile(path, 'utf8'), path);
  return { bundle, ...(await packagesBeside(bundle, (file) => join(dirname(path), file))) };
}

/** The newest evidence of a release. */
async function released(o: ReportOptions, deps: Deps): Promise<EvidenceReport> {
  const store = await storeOf(o.store, deps);
  const release = await lookupRelease(store, o.what);
  const [newest] = await releaseEvidence(store, release, EVIDENCE_TYPE);
  if (!newest) {
    throw new IngotError('report/none', `${release.name}@${release.version} has no evidence`, {
      hint: 'It was released by an earlier version of Ingot; build it again to add the evidence.',
    });
  }
  const repository = store.repository(release.name);
  const text = await new Response(await repository.fetch(newest.content)).text();
  const bundle = parseEvidence(text, `${o.what}: ${newest.title}`);
  const bill = bundle.sbom?.documents[0];
  const content = bill && { mediaType: 'application/octet-stream', digest: bill.digest, size: bill.size };
  const packages =
    content && (await repository.has(content))
      ? readBom(await new Response(await repository.fetch(content)).text(), bill.file)
      : undefined;
  return {
    bundle: { ...bundle, release: { digest: release.digest, store: store.location } },
    ...(packages && { packages }),
  };
}

/** The packages that a bundle counts; nothing where the bill is not at `pathOf`, or is another one by now. */
export async function packagesBeside(
  bundle: EvidenceBundle,
  pathOf: (file: string) => string | undefined,
): Promise<Pick<EvidenceReport, 'packages'>> {
  for (const { file, digest } of bundle.sbom?.documents ?? ([] as EvidenceOutput[])) {
    // A name from the document leads to no other folder.
    const path = /^[^/\\]+$/.test(file) ? pathOf(file) : undefined;
    if (path === undefined || !existsSync(path)) continue;
    const text = await readFile(path, 'utf8');
    if (sha256(text) === digest) return { packages: readBom(text, file) };
  }
  return {};
}
