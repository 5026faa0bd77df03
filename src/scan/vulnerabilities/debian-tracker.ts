import { compareDebianVersions } from '../versions/debian.ts';
import type { Advisory, Urgency } from './advisory.ts';
import { eachMember } from './top-level.ts';

/** One suite's part of an entry (security-tracker.debian.org/tracker/data/json). */
interface Release {
  readonly status?: unknown;
  readonly fixed_version?: unknown;
  readonly urgency?: unknown;
}

/** What the tracker says of the wanted source packages, for one suite. */
export interface TrackerAnswer {
  readonly entries: ReadonlyMap<string, readonly TrackerEntry[]>;
  /** Whether it names the suite at all. */
  readonly knowsSuite: boolean;
  /** Source packages in it. */
  readonly packages: number;
}

export interface TrackerEntry {
  readonly id: string;
  readonly status: string;
  readonly fixed?: string;
  readonly urgency: Urgency;
  readonly description?: string;
}

/** Debian's words; "not yet assigned" and "end-of-life" say nothing of how bad it is. */
const URGENCY: ReadonlyMap<string, Urgency> = new Map([
  ['unimportant', 'negligible'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
]);

/**
 * Reads the Debian security tracker's JSON: source package → CVE → suites. Only wanted packages are parsed.
 * Throws JsonDamage, or SyntaxError where a wanted entry is no JSON.
 */
export function readTracker(bytes: Buffer, suite: string, wanted: ReadonlySet<string>): TrackerAnswer {
  const entries = new Map<string, TrackerEntry[]>();
  const packages = eachMember(
    bytes,
    (source) => wanted.has(source),
    (source, value) => {
      entries.set(source, entriesOf(JSON.parse(value.toString('utf8')), suite));
    },
  );
  return { entries, packages, knowsSuite: bytes.includes(`${JSON.stringify(suite)}:`) };
}

function entriesOf(json: unknown, suite: string): TrackerEntry[] {
  const found: TrackerEntry[] = [];
  for (const [id, entry] of Object.entries(asRecord(json))) {
    const { releases, description } = asRecord(entry);
    const release = asRecord(releases)[suite] as Release | undefined;
    if (release === undefined) continue;
    const { status, fixed_version: fixed, urgency } = release;
    found.push({
      id,
      status: String(status),
      ...(typeof fixed === 'string' && { fixed }),
      urgency: URGENCY.get(String(urgency).replaceAll('*', '')) ?? 'unknown',
      ...(typeof description === 'string' && { description }),
    });
  }
  return found;
}

/** What an entry means for an installed source version. Undefined: not affected. */
export function judgeTrackerEntry(entry: TrackerEntry, installed: string): Advisory | undefined {
  const { id, status, fixed, urgency, description } = entry;
  const common = { id, urgency, ...(description !== undefined && { description }) };
  if (status === 'resolved') {
    // "0": no version of this suite ever had it.
    if (fixed === '0') return undefined;
    if (fixed === undefined) return { ...common, state: 'undetermined' };
    return compareDebianVersions(installed, fixed) < 0 ? { ...common, state: 'fixable', fixed } : undefined;
  }
  return { ...common, state: status === 'open' ? 'unfixed' : 'undetermined' };
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
