import type { BootStage } from './boot-stages.ts';
import type { Digest } from './digest.ts';
import type { StepStatus } from './event.ts';
import type { Removed } from './plugin.ts';

/** Media type of an evidence bundle, and the artifact type under which a release has one. */
export const EVIDENCE_TYPE = 'application/vnd.ingot.evidence.v1+json';

/** `released` and `built`: every proof said yes. `refused`: a test said no. `failed`: a step ended with an error. */
export type VerdictStatus = 'released' | 'built' | 'refused' | 'failed';

/**
 * What is known of one build of one image; published as schema/evidence.schema.json. Only `run` differs between two
 * builds of the same inputs in which the same tests ran: everything else comes from the results of steps.
 */
export interface EvidenceBundle {
  readonly mediaType: typeof EVIDENCE_TYPE;
  readonly image: {
    readonly name: string;
    readonly version: string;
    /** The source, as `-only` selects it. */
    readonly build: string;
    /** Commit of the template; absent outside of a checkout. */
    readonly revision?: string;
    /** The checkout had changes that were not committed. */
    readonly dirty: boolean;
    /** SOURCE_DATE_EPOCH, seconds since 1970. */
    readonly epoch: number;
    /** What the outputs and the release say about themselves. */
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly verdict: { readonly status: VerdictStatus; readonly reasons: readonly VerdictReason[] };
  readonly inputs: {
    readonly template?: Digest;
    readonly lock?: Digest;
    /** The image that this one was built from. */
    readonly base?: { readonly name: string; readonly digest: string };
    /** Locked package archives; `date`: RFC 3339. */
    readonly suites: readonly {
      readonly archive: string;
      readonly suite: string;
      readonly date: string;
      readonly digest: Digest;
    }[];
  };
  readonly steps: readonly EvidenceStep[];
  /** Absent where the image is not sealed, or where the record of an earlier build is gone from the cache. */
  readonly seal?: EvidenceSeal;
  readonly tests: readonly EvidenceTest[];
  readonly sbom?: {
    readonly documents: readonly EvidenceOutput[];
    /** How many by the type of their package URL. */
    readonly packages: Readonly<Record<string, number>>;
  };
  readonly vulnerabilities: readonly EvidenceVulnerabilities[];
  /** What was found of secrets that the build used; never their values. */
  readonly residue: readonly {
    readonly step: string;
    readonly searched: number;
    readonly secrets: readonly {
      readonly name: string;
      readonly status: 'clean' | 'found' | 'not searched';
      readonly places: readonly string[];
    }[];
  }[];
  /** What files look like secrets. */
  readonly secrets: readonly {
    readonly step: string;
    readonly files: number;
    readonly findings: readonly { readonly rule: string; readonly path: string; readonly line: number }[];
  }[];
  readonly outputs: readonly EvidenceOutput[];
  /** Of `ingot build --verify-reproducible`. */
  readonly reproducibility?: {
    readonly reproducible: boolean;
    readonly formats: readonly string[];
    readonly files: readonly { readonly path: string; readonly step: string; readonly what: string }[];
  };
  /** Of this one run; no part of what two builds have in common. */
  readonly run: {
    readonly tool: string;
    /** RFC 3339, UTC. */
    readonly started: string;
    readonly seconds: number;
    readonly steps: readonly {
      readonly label: string;
      readonly status: StepStatus;
      /** Seconds from the start of the build. */
      readonly start: number;
      readonly seconds: number;
    }[];
  };
  /** Where it was released; a bundle that lies in a store refers to its release instead. */
  readonly release?: { readonly digest: Digest; readonly store: string };
}

export interface VerdictReason {
  readonly step: string;
  readonly text: string;
}

export interface EvidenceStep {
  readonly label: string;
  readonly title: string;
  readonly kind: string;
  readonly type: string;
  /** Digest of all that the step's result depends on. */
  readonly digest: Digest;
  /** Why its result may differ from run to run. */
  readonly volatile?: string;
  readonly summary?: string;
}

export interface EvidenceSeal {
  readonly summary: string;
  readonly operations: readonly {
    readonly name: string;
    readonly skipped: boolean;
    readonly removed: readonly Removed[];
  }[];
}

export interface EvidenceTest {
  readonly step: string;
  readonly type: string;
  /** `skipped`: it did not run, because something before it failed. */
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly checks: readonly {
    readonly name: string;
    readonly passed: boolean;
    readonly message?: string;
    readonly seconds?: number;
    /** Of a boot: what its seconds went into. */
    readonly stages?: readonly BootStage[];
  }[];
  /** Checks that were asked for and not made: they are no proof of anything. */
  readonly skipped?: readonly { readonly name: string; readonly reason: string }[];
}

export interface EvidenceOutput {
  readonly format: string;
  readonly file: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

export interface EvidenceVulnerabilities {
  readonly step: string;
  readonly scanner: string;
  /** What was asked; `date`: of the data, ISO 8601. */
  readonly databases: readonly { readonly location: string; readonly date: string }[];
  /** Of those that count: neither ignored nor known not to affect the image. */
  readonly severities: Readonly<Record<string, number>>;
  readonly found: readonly {
    readonly id: string;
    readonly package: string;
    readonly installed: string;
    readonly fixed?: string;
    readonly severity: string;
    readonly state: string;
    readonly verdict: 'fails' | 'passes' | 'ignored' | 'not-affected';
    readonly why: string;
  }[];
}

/** Whether two builds of an image gave the same bytes, as a check among others. */
export function reproducibilityCheck(
  image: string,
  { reproducible, formats, files }: NonNullable<EvidenceBundle['reproducibility']>,
): { step: string; name: string; status: 'passed' | 'failed'; message?: string } {
  const check = { step: `${image}/reproducible`, name: 'two builds give the same bytes' };
  if (reproducible) return { ...check, status: 'passed' };
  const [first] = files;
  const where = first ? `; first ${first.path}, by ${first.step}` : '';
  return { ...check, status: 'failed', message: `${formats.join(', ')} differ${where}` };
}

/** The bundle without what differs from run to run, and without where it was stored. */
export function factsOf({ run: _run, release: _release, ...facts }: EvidenceBundle): object {
  return facts;
}
