import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ageText, isAge } from '../core/age.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import type { Rootfs } from '../core/rootfs.ts';
import { type Inventory, takeInventory } from './packages/inventory.ts';
import type { InventoryFinding } from './packages/package.ts';
import { forgetCopies, loadDatabase } from './vulnerabilities/database.ts';
import { type ExternalScanner, scanWith } from './vulnerabilities/external.ts';
import { type GateResult, judge, type Judged } from './vulnerabilities/gate.ts';
import { parseIgnoreFile } from './vulnerabilities/ignore.ts';
import { matchPackages, type MatchResult } from './vulnerabilities/match.ts';
import { parseOpenVex, toOpenVex } from './vulnerabilities/openvex.ts';
import type { VulnerabilityOptions } from './vulnerabilities/spec.ts';

export type { VulnerabilityOptions } from './vulnerabilities/spec.ts';

export interface VulnerabilityCheck {
  readonly name: string;
  readonly passed: boolean;
  readonly message?: string;
}

export interface VulnerabilityReport {
  readonly passed: boolean;
  readonly scanner: VulnerabilityOptions['scanner'];
  readonly checks: readonly VulnerabilityCheck[];
  readonly vulnerabilities: readonly Judged[];
  readonly databases: MatchResult['databases'];
  readonly findings: readonly InventoryFinding[];
  readonly counts: Readonly<Record<string, number>>;
}

const DISTRIBUTION = new Set(['deb', 'apk', 'rpm']);

/**
 * Looks for known vulnerabilities in an image that is mounted at `root`, without running anything of it. What could
 * not be read, an old database and packages that none speaks of are results of their own; a database that is missing or
 * damaged is one too.
 */
export async function checkVulnerabilities(
  root: Rootfs,
  o: VulnerabilityOptions,
  ctx: Context,
): Promise<VulnerabilityReport> {
  const ignore = o.ignore === undefined ? [] : parseIgnoreFile(readText(o.ignore, ctx), o.ignore);
  const vex = o.vex.flatMap((file) => parseOpenVex(readText(file, ctx), file));
  const inventory = takeInventory(root);
  const now = ctx.clock.now();
  const checks: VulnerabilityCheck[] = inventoryChecks(inventory);
  const matched = await look(inventory, o, ctx, checks);
  const gate = judge(
    matched.vulnerabilities,
    {
      fixable: o.fail_on_fixable,
      unknown: o.fail_on_unknown,
      ...(o.fail_on !== undefined && { failOn: o.fail_on as never }),
      ignore,
      vex,
    },
    now,
  );
  checks.push(...coverageChecks(matched, o), ...databaseChecks(matched, o, now), ...gateChecks(gate, o));
  if (o.vex_output !== undefined) {
    const { imageId = 'image', imageVersion = '0' } = inventory.os;
    const product = `pkg:generic/${encodeURIComponent(imageId)}@${encodeURIComponent(imageVersion)}`;
    await writeFile(resolve(ctx.templateDir, o.vex_output), toOpenVex(gate.judged, product, now));
  }
  return {
    passed: checks.every((c) => c.passed),
    scanner: o.scanner,
    checks,
    vulnerabilities: gate.judged,
    databases: matched.databases,
    findings: inventory.findings,
    counts: countsOf(gate.judged),
  };
}

const NOTHING: MatchResult = { vulnerabilities: [], databases: [], coverage: [] };

/** A database that cannot be had is a failed check, so that the report still says what is known. */
async function look(
  inventory: Inventory,
  o: VulnerabilityOptions,
  ctx: Context,
  checks: VulnerabilityCheck[],
): Promise<MatchResult> {
  try {
    if (o.scanner !== 'builtin') return await lookWith(o.scanner as ExternalScanner, inventory, ctx, checks);
    const databases = [];
    for (const location of o.databases) databases.push(await loadDatabase(location, o.refresh, ctx));
    return matchPackages(inventory, databases);
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (!(error instanceof IngotError)) throw error;
    if (error.code === 'scan/bad-database') await forgetCopies(o.databases, ctx);
    const hint = error.hint === undefined ? '' : ` ${error.hint}`;
    const name = o.scanner === 'builtin' ? 'vulnerability database' : o.scanner;
    checks.push({ name, passed: false, message: `${error.message} [${error.code}].${hint}` });
    return NOTHING;
  }
}

async function lookWith(
  scanner: ExternalScanner,
  inventory: Inventory,
  ctx: Context,
  checks: VulnerabilityCheck[],
): Promise<MatchResult> {
  const { vulnerabilities, date } = await scanWith(scanner, inventory, ctx);
  if (date !== undefined)
    return { ...NOTHING, vulnerabilities, databases: [{ location: scanner, kind: scanner, date }] };
  const message = `OF NO KNOWN AGE: ${scanner} does not tell when its database was made`;
  checks.push({ name: `database ${scanner}`, passed: false, message });
  return { ...NOTHING, vulnerabilities };
}

function readText(file: string, ctx: Pick<Context, 'templateDir'>): string {
  try {
    return readFileSync(resolve(ctx.templateDir, file), 'utf8');
  } catch (error) {
    throw new IngotError('scan/cannot-read', `${file} cannot be read: ${(error as Error).message}`, {
      hint: 'Paths in an image file start from its folder.',
      cause: error,
    });
  }
}

/** An image whose packages cannot be told must not pass for one that has none. */
function inventoryChecks({ packages, findings, managers }: Inventory): VulnerabilityCheck[] {
  const errors = findings.filter((f) => f.severity === 'error');
  const found = errors.map(({ path, message }) => ({
    name: `packages of the image: ${path}`,
    passed: false,
    message,
  }));
  if (found.length > 0) return found;
  if (packages.length === 0) {
    const message =
      managers.length === 0
        ? 'no database of dpkg, apk or rpm, and no language package was found: nothing was checked'
        : `the database of ${managers.join(', ')} holds no package: nothing was checked`;
    return [{ name: 'packages of the image', passed: false, message }];
  }
  const warnings = findings.length === 0 ? '' : `; ${findings.length} files were not read in full`;
  return [{ name: 'packages of the image', passed: true, message: `${packages.length} found${warnings}` }];
}

function coverageChecks({ coverage, databases }: MatchResult, o: VulnerabilityOptions): VulnerabilityCheck[] {
  if (databases.length === 0) return [];
  return coverage
    .filter((c) => !c.covered)
    .map(({ type, packages }) => ({
      name: `database for ${type}`,
      passed: !o.fail_on_uncovered && !DISTRIBUTION.has(type),
      message: `NOT CHECKED: no database speaks of the ${packages} ${type} packages of this image and its release`,
    }));
}

function databaseChecks(
  { databases }: MatchResult,
  o: VulnerabilityOptions,
  now: Date,
): VulnerabilityCheck[] {
  return databases.map(({ location, date, size }) => {
    const age = now.getTime() - Date.parse(date);
    const name = `database ${location}`;
    if (!isAge(age))
      return { name, passed: false, message: `OF NO KNOWN AGE: it says ${date}, which has not been yet` };
    const old = age > o.max_age;
    const message = old
      ? `OUT OF DATE: it is of ${date}, ${ageText(age)} ago; at most ${ageText(o.max_age)} are allowed`
      : `of ${date}${size === undefined ? '' : `, ${size} entries`}`;
    return { name, passed: !old, message };
  });
}

function gateChecks({ judged, expired, unused }: GateResult, o: VulnerabilityOptions): VulnerabilityCheck[] {
  const checks: VulnerabilityCheck[] = judged
    .filter((found) => found.verdict === 'fails')
    .map(({ id, name, why }) => ({ name: `${id} in ${name}`, passed: false, message: why }));
  for (const { id, expires, line, reason } of expired) {
    const message = `the exception in line ${line} ended on ${expires} (${reason}); renew or remove it`;
    checks.push({ name: `ignore ${id}`, passed: false, message });
  }
  for (const { id, line } of unused) {
    const message = `the exception in line ${line} of ${o.ignore} is not needed any more`;
    checks.push({ name: `ignore ${id}`, passed: true, message });
  }
  if (checks.every((c) => c.passed)) {
    const counts = Object.entries(countsOf(judged)).map(([what, n]) => `${n} ${what}`);
    const message = counts.length === 0 ? 'none known' : counts.join(', ');
    checks.push({ name: 'known vulnerabilities', passed: true, message });
  }
  return checks;
}

/** How many by verdict, and of those that count by state and urgency; what nobody has rated stays visible. */
function countsOf(judged: readonly Judged[]): Record<string, number> {
  const counts: Record<string, number> = {};
  const add = (what: string): void => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  for (const { verdict, state, urgency } of judged) {
    if (verdict === 'ignored' || verdict === 'not-affected') add(verdict.replace('-', ' '));
    else {
      add(state);
      add(`of ${urgency} urgency`);
    }
  }
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
