import type { BootStage } from '../core/boot-stages.ts';
import type { BodySpec, OptionProblem } from '../core/body-spec.ts';
import type { Digest, Json } from '../core/digest.ts';
import type { NamedSecret } from '../core/named-secret.ts';
import type { DataSource, PostProcessor, Provisioner, Source } from '../core/plugin.ts';
import type { StampOptions } from './stamp.ts';

/** What the plan needs to know of an output format. */
export interface FormatInfo {
  readonly type: string;
  readonly version: number;
  readonly spec: BodySpec;
  /** Written from the finished raw disk, or from the layers. */
  readonly input: 'disk' | 'rootfs';
  readonly extension: string;
}

type TestFiles = readonly string[] | undefined;

/** What the plan needs to know of a test. */
export interface TestInfo {
  readonly type: string;
  readonly version: number;
  readonly spec: BodySpec;
  /** What is tested. */
  readonly input: 'disk' | 'rootfs';
  /**
   * Files on the host that the options make the test read, relative to the template. Hashed. undefined: what it reads
   * cannot be told (a database that changes, the environment), so that it runs in every build, whatever the cache has.
   */
  readonly files?: (options: never, templateDir: string) => TestFiles | Promise<TestFiles>;
}

/** A room of the offline way (boot-config, seal, …) as the plan sees it. */
export interface RoomInfo {
  readonly version: number;
  readonly spec: BodySpec;
}

/** What a policy is held against before anything is built. */
export interface ProofsAsked {
  readonly tests: readonly { readonly type: string; readonly options: unknown }[];
  readonly outputs: readonly string[];
  /** Options of the seal block; absent: its defaults. */
  readonly seal?: unknown;
}

/** A finding about a policy itself. */
export interface PolicyProblem extends OptionProblem {
  readonly code: string;
}

/** What a release must fulfil, as the plan sees it. */
export interface PolicyInfo extends RoomInfo {
  /** What the policy asks for and the image file does not have; errors in the files that it names. */
  problems(options: never, asked: ProofsAsked, templateDir: string): Promise<readonly PolicyProblem[]>;
  /** As TestInfo's; those that come with Ingot are in `shipped`. */
  files(options: never, templateDir: string): Promise<TestFiles>;
  /** Digests of the lists and checks of ours that it names. */
  shipped(options: never): Promise<Json>;
  /** What of the answer depends on the day, as it is now. `baseDate`: seconds since 1970. */
  today(options: never, baseDate: number | undefined, now: Date): Promise<Json>;
}

/**
 * Every plugin there is, listed in app/catalog.ts. Plan and engine get it as an argument and import no plugin.
 * Options are `never` here: each plugin gets what its own spec decoded.
 */
export interface Catalog {
  readonly sources: ReadonlyMap<string, Source<never>>;
  readonly provisioners: ReadonlyMap<string, Provisioner<never>>;
  readonly postProcessors: ReadonlyMap<string, PostProcessor<never>>;
  readonly dataSources: ReadonlyMap<string, DataSource<never>>;
  readonly formats: ReadonlyMap<string, FormatInfo>;
  readonly tests: ReadonlyMap<string, TestInfo>;
  readonly disk: RoomInfo;
  readonly seal: RoomInfo;
  readonly release: RoomInfo;
  /** The search for secrets that stayed in the image. */
  readonly residue: RoomInfo;
  readonly policy: PolicyInfo;
  readonly stamp: {
    readonly version: number;
    annotations(stamp: StampOptions): Readonly<Record<string, string>>;
  };
  readonly bootConfig: { readonly version: number };
  /** What an instance does with itself when it is first started. */
  readonly firstBoot: RoomInfo & {
    /** Files on the host that the options name, relative to the template. Hashed. */
    files(options: never): readonly string[];
    /** What goes into the image besides. Hashed. */
    agent(): Digest;
  };
}

/** Options of the `boot-config` and `disk` steps, as planned. */
export interface DiskStepOptions {
  /** The decoded `disk` block. */
  readonly disk: unknown;
  /** What UUIDs, hash seeds and disk ids derive from. */
  readonly seed: Digest;
  /** Lock key of the source, where its boot loader packages are. */
  readonly lockKey?: string;
}

/** Options of an `output` step. */
export interface OutputStepOptions {
  readonly format: string;
  readonly options: unknown;
  readonly fileName: string;
  readonly seed: Digest;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Options of a `release` step. */
export interface ReleaseStepOptions {
  readonly release: unknown;
  readonly name: string;
  readonly version: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Options of the search for secrets. Not hashed. */
export interface ResidueStepOptions {
  readonly secrets: readonly NamedSecret[];
  /** Texts with references, whose values are searched, too. */
  readonly references: readonly string[];
  /** References whose values may stay. */
  readonly allowed: readonly string[];
  /** Why packed content may be larger than what is unpacked to be searched. */
  readonly incomplete?: string;
}

/** Options of the `policy` step. */
export interface PolicyStepOptions {
  /** The decoded `policy` block. */
  readonly policy: unknown;
  /** Newest date in the lock of what the image starts from, seconds since 1970; absent where nothing says. */
  readonly baseDate?: number;
  /** Formats whose bytes differ between two builds of the image; absent where it was not built twice. */
  readonly differing?: readonly string[];
}

/** A test that a later one asks about. */
export interface EarlierTest {
  readonly type: string;
  /** Absent: it did not come to an end. */
  readonly outcome?: TestOutcome;
}

/** What a test answers; stored as evidence. A failed one is a result, not an exception. */
export interface TestOutcome {
  readonly passed: boolean;
  readonly checks: readonly {
    name: string;
    passed: boolean;
    message?: string;
    seconds?: number;
    /** Of a boot: what its seconds went into. */
    stages?: readonly BootStage[];
  }[];
  /** Checks that were asked for and not made; they count as no proof. */
  readonly skipped?: readonly { name: string; reason: string }[];
  readonly data: Json;
}
