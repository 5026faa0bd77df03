import { join } from 'node:path';
import { digestOf } from '../core/digest.ts';
import { asIngotError } from '../core/error.ts';
import { EVIDENCE_TYPE, type EvidenceBundle, factsOf } from '../core/evidence.ts';
import { explainSystemError } from '../core/system-error.ts';
import { replaceFile } from '../core/replace-file.ts';
import type { ImagePlan } from '../plan/types.ts';
import type { BuildRecord } from '../engine/record.ts';
import type { Evidence } from '../release/publish.ts';
import { bundleOf } from './evidence.ts';
import { type EvidenceReport, packagesBeside } from './report.ts';
import type { Session } from './session.ts';

/** What becomes of the evidence of a run's builds. */
export interface EvidenceUse {
  /** Called for each image when its build has ended, however it did; again when more is known. */
  readonly onEvidence?: (report: EvidenceReport) => void;
}

/** What evidence is called beside the outputs. */
export function evidenceFile({ name, version }: Pick<ImagePlan, 'name' | 'version'>): string {
  return `${name}-${version}.evidence.json`;
}

/** A bundle as a document of its release. */
export function bundleDocument(bundle: EvidenceBundle): Evidence {
  return {
    artifactType: EVIDENCE_TYPE,
    mediaType: EVIDENCE_TYPE,
    title: evidenceFile(bundle.image),
    content: `${JSON.stringify(bundle, undefined, 2)}\n`,
    facts: digestOf(factsOf(bundle)),
  };
}

/** The evidence of the builds of one run: taken when each has ended, written and told when all have. */
export class EvidenceKeeper {
  /** Where evidence was written, by image. */
  readonly paths = new Map<string, string>();
  readonly bundles = new Map<string, EvidenceBundle>();
  readonly #records: BuildRecord[] = [];
  readonly #session: Session;
  readonly #use: EvidenceUse;
  readonly #toFiles: boolean;

  /** `toFiles`: also beside the outputs of images that were to be proven, whether or not they were built. */
  constructor(session: Session, use: EvidenceUse, toFiles: boolean) {
    this.#session = session;
    this.#use = use;
    this.#toFiles = toFiles;
  }

  readonly take = (record: BuildRecord): void => void this.#records.push(record);

  /** Keeps the evidence of what is built while `work` runs, also when that fails. */
  async around<T>(work: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await work();
    } catch (error) {
      await this.#keepAll().catch((other: unknown) => {
        const diagnostic = { ...asIngotError(other).toDiagnostic(), severity: 'warning' as const };
        this.#session.emit({ type: 'diagnostic', diagnostic });
      });
      throw error;
    }
    await this.#keepAll();
    return result;
  }

  /** Writes and tells the evidence of one image. */
  async keep(record: BuildRecord, bundle: EvidenceBundle): Promise<void> {
    const { image } = record;
    this.bundles.set(image.name, bundle);
    const proven = image.steps.some((s) => s.spec.kind === 'test' || s.spec.kind === 'release');
    if (this.#toFiles && proven && !this.#session.signal.aborted)
      this.paths.set(image.name, await writeEvidence(image, bundle));
    const path = this.paths.get(image.name);
    if (record.error && path !== undefined)
      this.#session.emit({ type: 'message', level: 'info', text: `evidence of what failed: ${path}` });
    const from = new Map(record.outputs.map(({ fileName, path }) => [fileName, path]));
    this.#use.onEvidence?.({ bundle, ...(await packagesBeside(bundle, (file) => from.get(file))) });
  }

  /** The records of builds that have ended. */
  get records(): readonly BuildRecord[] {
    return this.#records;
  }

  async #keepAll(): Promise<void> {
    for (const record of this.#records) await this.keep(record, bundleOf(record, this.#session.mask));
  }
}

async function writeEvidence(image: ImagePlan, bundle: EvidenceBundle): Promise<string> {
  const path = join(image.outputDir, evidenceFile(image));
  try {
    await replaceFile(path, `${JSON.stringify(bundle, undefined, 2)}\n`);
    return path;
  } catch (error) {
    throw explainSystemError(error, {
      place: `the outputs in ${image.outputDir}`,
      elsewhere: 'write the outputs to a larger disk: --output-dir /folder',
    });
  }
}
