import type { Inventory } from '../packages/inventory.ts';
import type { ImagePackage } from '../packages/package.ts';
import { type Advisory, mergeAdvisories, type Vulnerability } from './advisory.ts';
import type { LoadedDatabase } from './database.ts';
import { judgeTrackerEntry, readTracker, type TrackerAnswer } from './debian-tracker.ts';
import type { ExternalScanner } from './external.ts';
import { ecosystemOf, knownAs } from './ecosystems.ts';
import { judgeOsvEntry, type OsvAnswer, OsvDamage, readOsv } from './osv.ts';
import { damaged } from './damage.ts';
import { JsonDamage } from './top-level.ts';
import { readFileSync } from 'node:fs';

/** What is installed under one name and version that databases know. */
interface Subject {
  readonly type: ImagePackage['type'];
  readonly name: string;
  readonly version: string;
  readonly ecosystem?: string;
  readonly purls: readonly string[];
}

export interface DatabaseFacts {
  readonly location: string;
  readonly kind: LoadedDatabase['kind'] | ExternalScanner;
  /** ISO 8601. */
  readonly date: string;
  /** Records or source packages in it; a scanner does not tell that of its own. */
  readonly size?: number;
}

export interface MatchResult {
  readonly vulnerabilities: readonly Vulnerability[];
  readonly databases: readonly DatabaseFacts[];
  /** Packages by type, and whether any database speaks of their kind. */
  readonly coverage: readonly {
    readonly type: ImagePackage['type'];
    readonly packages: number;
    readonly covered: boolean;
  }[];
}

/** Looks up everything that an image has in every database. Throws `scan/bad-database` for a damaged one. */
export function matchPackages(inventory: Inventory, databases: readonly LoadedDatabase[]): MatchResult {
  const subjects = subjectsOf(inventory);
  const found = new Map<string, Vulnerability>();
  const covered = new Set<ImagePackage['type']>();
  const facts: DatabaseFacts[] = [];
  for (const database of databases) {
    const answer = ask(database, subjects, inventory);
    facts.push({ location: database.location, kind: database.kind, date: answer.date, size: answer.size });
    for (const subject of subjects) {
      if (!answer.covers(subject)) continue;
      covered.add(subject.type);
      for (const advisory of answer.judge(subject)) {
        const key = `${advisory.id}\n${subject.type}\n${subject.name}\n${subject.version}`;
        const { name, version: installed, purls } = subject;
        const next: Vulnerability = { ...advisory, name, installed, purls };
        const known = found.get(key);
        found.set(key, known ? mergeAdvisories(known, next) : next);
      }
    }
  }
  const types = [...new Set(inventory.packages.map((p) => p.type))].sort();
  return {
    vulnerabilities: [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, v]) => v),
    databases: facts,
    coverage: types.map((type) => ({
      type,
      packages: inventory.packages.filter((p) => p.type === type).length,
      covered: covered.has(type),
    })),
  };
}

interface Answer {
  readonly date: string;
  readonly size: number;
  covers(subject: Subject): boolean;
  judge(subject: Subject): Advisory[];
}

function ask(database: LoadedDatabase, subjects: readonly Subject[], inventory: Inventory): Answer {
  try {
    return database.kind === 'debian-tracker'
      ? askTracker(database, subjects, inventory)
      : askOsv(database, subjects);
  } catch (error) {
    if (error instanceof JsonDamage || error instanceof SyntaxError || error instanceof OsvDamage)
      throw damaged(database, error);
    throw error;
  }
}

function askTracker(database: LoadedDatabase, subjects: readonly Subject[], { os }: Inventory): Answer {
  const wanted = new Set(subjects.filter((s) => s.type === 'deb').map((s) => s.name));
  const answer: TrackerAnswer = readTracker(readFileSync(database.path), os.codename ?? '', wanted);
  if (answer.packages === 0) throw new JsonDamage('it holds no package');
  return {
    date: database.date,
    size: answer.packages,
    covers: ({ type }) => type === 'deb' && os.id === 'debian' && answer.knowsSuite,
    judge: ({ name, version }) =>
      (answer.entries.get(name) ?? []).flatMap((entry) => judgeTrackerEntry(entry, version) ?? []),
  };
}

function askOsv(database: LoadedDatabase, subjects: readonly Subject[]): Answer {
  const key = ({ ecosystem, name }: Subject): string => `${ecosystem}\n${name}`;
  const answer: OsvAnswer = readOsv(database.path, new Set(subjects.map(key)));
  if (answer.records === 0) throw new OsvDamage('it holds no record');
  return {
    // What it says of itself counts: a copy made today may be a year old.
    date: answer.newest ?? database.date,
    size: answer.records,
    covers: ({ ecosystem }) => ecosystem !== undefined && answer.ecosystems.has(ecosystem),
    judge: (subject) =>
      (answer.entries.get(key(subject)) ?? []).flatMap(
        (entry) => judgeOsvEntry(entry, subject.version) ?? [],
      ),
  };
}

/** Packages by the name that databases use: many binary packages have one source. */
function subjectsOf({ packages, os }: Inventory): Subject[] {
  const subjects = new Map<string, Subject & { purls: string[] }>();
  for (const found of packages) {
    const { name, version } = knownAs(found);
    const key = `${found.type}\n${name}\n${version}`;
    const known = subjects.get(key);
    const ecosystem = ecosystemOf(found, os);
    if (known) known.purls.push(found.purl);
    else
      subjects.set(key, {
        type: found.type,
        name,
        version,
        ...(ecosystem !== undefined && { ecosystem }),
        purls: [found.purl],
      });
  }
  return [...subjects.values()].map((s) => ({ ...s, purls: [...new Set(s.purls)].sort() }));
}
