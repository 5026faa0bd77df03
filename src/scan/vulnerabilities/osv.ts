import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ZipFile } from '../zip.ts';
import type { Advisory, Urgency } from './advisory.ts';
import { cvssScore, urgencyOfScore } from './cvss.ts';
import { comparatorOf } from './ecosystems.ts';

/** The parts of a record that are used (ossf.github.io/osv-schema, 1.7). */
interface OsvRecord {
  readonly id: string;
  readonly aliases?: readonly string[];
  readonly upstream?: readonly string[];
  readonly withdrawn?: string;
  readonly modified?: string;
  readonly summary?: string;
  readonly details?: string;
  readonly severity?: readonly { readonly type?: string; readonly score?: string }[];
  readonly database_specific?: { readonly severity?: unknown };
  readonly affected?: readonly Affected[];
}

interface Affected {
  readonly package?: { readonly ecosystem?: string; readonly name?: string };
  readonly ranges?: readonly {
    readonly type?: string;
    readonly events?: readonly Readonly<Record<string, string>>[];
  }[];
  readonly versions?: readonly string[];
  readonly severity?: OsvRecord['severity'];
  readonly ecosystem_specific?: { readonly urgency?: unknown; readonly severity?: unknown };
}

/** One package's part of a record. */
export interface OsvEntry {
  readonly record: OsvRecord;
  readonly affected: Affected;
  readonly ecosystem: string;
}

export interface OsvAnswer {
  /** By `ecosystem\nname`. */
  readonly entries: ReadonlyMap<string, readonly OsvEntry[]>;
  /** Ecosystems that it has anything of. */
  readonly ecosystems: ReadonlySet<string>;
  /** Newest date of a record, ISO 8601; undefined in an empty export. */
  readonly newest?: string;
  readonly records: number;
}

const MAX_RECORD = 32 * 1024 * 1024;

/** What a broken record is called in the message. */
export class OsvDamage extends Error {}

/** Reads an export: a ZIP archive or a folder of records, one JSON file each. Throws `scan/bad-zip`, OsvDamage. */
export function readOsv(path: string, wanted: ReadonlySet<string>): OsvAnswer {
  const entries = new Map<string, OsvEntry[]>();
  const ecosystems = new Set<string>();
  let newest: string | undefined;
  let records = 0;
  for (const { name, text } of recordsOf(path)) {
    const record = parseRecord(name, text);
    records++;
    if (record.modified !== undefined && record.modified > (newest ?? '')) newest = record.modified;
    for (const affected of record.affected ?? []) {
      const { ecosystem, name: affectedName } = affected.package ?? {};
      if (ecosystem === undefined || affectedName === undefined) continue;
      ecosystems.add(ecosystem);
      const key = `${ecosystem}\n${affectedName}`;
      if (record.withdrawn !== undefined || !wanted.has(key)) continue;
      const known = entries.get(key);
      if (known) known.push({ record, affected, ecosystem });
      else entries.set(key, [{ record, affected, ecosystem }]);
    }
  }
  return { entries, ecosystems, records, ...(newest !== undefined && { newest }) };
}

function* recordsOf(path: string): Iterable<{ name: string; text: string }> {
  if (statSync(path).isDirectory()) {
    const open = [path];
    for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const file = join(folder, entry.name);
        if (entry.isDirectory()) open.push(file);
        else if (entry.isFile() && entry.name.endsWith('.json'))
          yield { name: file, text: readFileSync(file, 'utf8') };
      }
    }
    return;
  }
  using zip = new ZipFile(path);
  for (const entry of zip.entries(MAX_RECORD)) {
    if (entry.name.endsWith('.json')) yield { name: entry.name, text: entry.read().toString('utf8') };
  }
}

function parseRecord(name: string, text: string): OsvRecord {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new OsvDamage(`${name} is no JSON: ${(error as Error).message}`);
  }
  const record = json as OsvRecord | null;
  if (typeof record?.id !== 'string') throw new OsvDamage(`${name} is no OSV record: it has no id`);
  return record;
}

/** What an entry means for an installed version. Undefined: not affected. */
export function judgeOsvEntry(
  { record, affected, ecosystem }: OsvEntry,
  installed: string,
): Advisory | undefined {
  const common = {
    id: canonicalId(record),
    urgency: urgencyOf(record, affected),
    ...((record.summary ?? record.details) !== undefined && {
      description: (record.summary ?? record.details) as string,
    }),
  };
  if (affected.versions?.includes(installed)) {
    const fixed = fixedEvents(affected).at(-1);
    return fixed === undefined ? { ...common, state: 'unfixed' } : { ...common, state: 'fixable', fixed };
  }
  const compare = comparatorOf(ecosystem);
  const ranges = (affected.ranges ?? []).filter((r) => r.type === 'ECOSYSTEM' || r.type === 'SEMVER');
  let undecided = false;
  for (const range of compare ? ranges : []) {
    const answer = inRange(range.events ?? [], installed, compare as NonNullable<typeof compare>);
    if (answer === 'undecided') undecided = true;
    else if (answer !== undefined) {
      const { fixed } = answer;
      return fixed === undefined ? { ...common, state: 'unfixed' } : { ...common, state: 'fixable', fixed };
    }
  }
  // Without an order of versions, a list of them decides; without either, nobody knows.
  if (!compare && ranges.length > 0 && (affected.versions ?? []).length === 0) undecided = true;
  return undecided ? { ...common, state: 'undetermined' } : undefined;
}

type Compare = (a: string, b: string) => number | undefined;

/** Whether a version lies between an `introduced` and the next `fixed` or `last_affected` (schema, "Evaluation"). */
function inRange(
  events: readonly Readonly<Record<string, string>>[],
  version: string,
  compare: Compare,
): { fixed?: string } | 'undecided' | undefined {
  let affected = false;
  let after: string | undefined;
  for (const { introduced, fixed, last_affected: last } of inOrder(events, compare)) {
    const limit = introduced ?? fixed ?? last;
    if (limit === undefined) continue;
    const order = introduced === '0' ? 1 : compare(version, limit);
    if (order === undefined) return 'undecided';
    if (introduced !== undefined) {
      if (order >= 0) affected = true;
      else if (affected) break;
    } else if (fixed !== undefined) {
      if (order >= 0) affected = false;
      else if (affected) {
        after = fixed;
        break;
      }
    } else if (order > 0) affected = false;
  }
  return affected ? { ...(after !== undefined && { fixed: after }) } : undefined;
}

/** Events by their versions: a record may hold them in any order. As they stand where one of them is no version. */
function inOrder(
  events: readonly Readonly<Record<string, string>>[],
  compare: Compare,
): readonly Readonly<Record<string, string>>[] {
  const limitOf = (event: Readonly<Record<string, string>>): string | undefined =>
    event.introduced ?? event.fixed ?? event.last_affected;
  const known = events.filter((event) => limitOf(event) !== undefined);
  let areVersions = true;
  const sorted = known.toSorted((a, b) => {
    // "0" comes before every version.
    if (a.introduced === '0' || b.introduced === '0')
      return Number(b.introduced === '0') - Number(a.introduced === '0');
    const order = compare(limitOf(a) as string, limitOf(b) as string);
    if (order === undefined) areVersions = false;
    return order ?? 0;
  });
  return areVersions ? sorted : known;
}

function fixedEvents(affected: Affected): string[] {
  // Of a range in Git they are commits.
  const ranges = (affected.ranges ?? []).filter((r) => r.type !== 'GIT');
  return ranges.flatMap((r) => r.events ?? []).flatMap((e) => e.fixed ?? []);
}

/** The CVE's number, by which other databases, ignore files and VEX know it. */
function canonicalId(record: OsvRecord): string {
  const own = record.id.replace(/^[A-Z]+-(?=CVE-)/, '');
  if (own.startsWith('CVE-')) return own;
  const cves = [...(record.aliases ?? []), ...(record.upstream ?? [])].filter((id) => id.startsWith('CVE-'));
  return cves.length === 1 ? (cves[0] as string) : record.id;
}

const WORDS: ReadonlyMap<string, Urgency> = new Map([
  ['unimportant', 'negligible'],
  ['negligible', 'negligible'],
  ['low', 'low'],
  ['moderate', 'medium'],
  ['medium', 'medium'],
  ['important', 'high'],
  ['high', 'high'],
  ['critical', 'critical'],
]);

/** The distribution's own word, else that of the database, else what the CVSS vector comes to. */
function urgencyOf(record: OsvRecord, affected: Affected): Urgency {
  const { ecosystem_specific: own, severity } = affected;
  const words = [own?.urgency, own?.severity, record.database_specific?.severity];
  for (const word of words) {
    const known = WORDS.get(String(word).toLowerCase().replaceAll('*', ''));
    if (known) return known;
  }
  for (const { score = '' } of [...(severity ?? []), ...(record.severity ?? [])]) {
    const value = cvssScore(score);
    if (value !== undefined) return urgencyOfScore(value);
  }
  return 'unknown';
}
