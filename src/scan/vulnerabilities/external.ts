import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';
import type { Inventory } from '../packages/inventory.ts';
import { toCycloneDx } from '../sbom/cyclonedx.ts';
import type { Urgency, Vulnerability } from './advisory.ts';

export type ExternalScanner = 'trivy' | 'grype';

const MAX_OUTPUT = 256 * 1024 * 1024;
const TIMEOUT_MS = 20 * 60_000;

const WORDS: ReadonlyMap<string, Urgency> = new Map([
  ['negligible', 'negligible'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['critical', 'critical'],
]);

/** What an installed scanner found. */
export interface ExternalResult {
  readonly vulnerabilities: readonly Vulnerability[];
  /** When its database was made, ISO 8601; absent where it does not tell. */
  readonly date?: string;
}

/**
 * Has an installed scanner look at our SBOM of the image, with its own database. Throws `host/missing-tool` where it
 * is not installed, `scan/bad-scanner` for an answer that cannot be read.
 */
export async function scanWith(
  scanner: ExternalScanner,
  inventory: Inventory,
  ctx: Pick<Context, 'host' | 'workDir' | 'signal' | 'epoch'>,
): Promise<ExternalResult> {
  const tool = ctx.host.requireTool(scanner);
  await using scratch = await ctx.host.scratch(ctx.workDir, 'scan-');
  const sbom = join(scratch.dir, 'sbom.cdx.json');
  await writeFile(sbom, toCycloneDx(inventory, { name: 'image', version: '0', epoch: ctx.epoch }));
  const args =
    scanner === 'trivy'
      ? // Its user may have it fail where it finds something: that is ours to judge.
        ['sbom', '--quiet', '--format', 'json', '--exit-code', '0', sbom]
      : [`sbom:${sbom}`, '--quiet', '--output', 'json'];
  const env = settingsOf(process.env);
  const options = { maxBytes: MAX_OUTPUT, timeoutMs: TIMEOUT_MS, signal: ctx.signal, env };
  const { stdout } = await ctx.host.run(tool, args, options);
  if (scanner === 'grype') return dated(readGrype(stdout, inventory), dateOfGrype(stdout));
  const vulnerabilities = readTrivy(stdout, inventory);
  // A server looks into its own database, not into the one here.
  if (env.TRIVY_SERVER !== undefined) return { vulnerabilities };
  // After the scan, which may have fetched a newer one. Its report does not tell.
  const version = await ctx.host.run(tool, ['version', '--quiet', '--format', 'json'], options);
  return dated(vulnerabilities, dateOfTrivy(version.stdout));
}

function dated(vulnerabilities: readonly Vulnerability[], date: unknown): ExternalResult {
  return { vulnerabilities, ...(typeof date === 'string' && { date }) };
}

/** `trivy version --format json`: VulnerabilityDB.UpdatedAt is when the database was made, not when it was fetched. */
export function dateOfTrivy(text: string): unknown {
  const version = parse('trivy', text) as { VulnerabilityDB?: { UpdatedAt?: unknown } };
  return version.VulnerabilityDB?.UpdatedAt;
}

/** The report's descriptor: `db.status.built` since its sixth schema of databases, `db.built` before. */
export function dateOfGrype(text: string): unknown {
  const { descriptor } = parse('grype', text) as {
    descriptor?: { db?: { built?: unknown; status?: { built?: unknown } } };
  };
  return descriptor?.db?.status?.built ?? descriptor?.db?.built;
}

/** Where a user's scanner finds its database, settings and way out: its own variables, the home, and a proxy. */
function settingsOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  const names = /^(HOME|XDG_[A-Z_]+|(GRYPE|SYFT|TRIVY)_\w+|SSL_CERT_(FILE|DIR)|(https?|no|all)_proxy)$/i;
  const kept = Object.entries(environment).filter(([name, value]) => names.test(name) && value !== undefined);
  return Object.fromEntries(kept) as Record<string, string>;
}

type Looked = Pick<Inventory, 'os' | 'packages'>;

/** Packages of a distribution that were passed over are not ones without vulnerabilities. */
function requireSystem(scanner: ExternalScanner, { os, packages }: Looked, hasLooked: boolean): void {
  const ofSystem = packages.filter(({ type }) => type === 'deb' || type === 'apk' || type === 'rpm');
  if (hasLooked || ofSystem.length === 0) return;
  const system = `${os.id ?? 'a system without /etc/os-release'} ${os.versionId ?? ''}`.trim();
  throw bad(scanner, `it leaves out the ${ofSystem.length} packages of ${system}, which it may not know`);
}

/**
 * Trivy's JSON report (aquasecurity.github.io/trivy, "Reporting"). It passes over the packages of a distribution that it does
 * not know, and says so only by their absence.
 */
export function readTrivy(text: string, inventory: Looked): Vulnerability[] {
  const report = parse('trivy', text) as { Results?: unknown; SchemaVersion?: unknown };
  if (report.SchemaVersion === undefined) throw bad('trivy', 'it has no SchemaVersion');
  const results = (report.Results ?? []) as {
    Class?: unknown;
    Vulnerabilities?: readonly Record<string, unknown>[];
  }[];
  const hasLooked = results.some((result) => result.Class === 'os-pkgs');
  requireSystem('trivy', inventory, hasLooked);
  return results
    .flatMap((result) => result.Vulnerabilities ?? [])
    .map((v) =>
      toVulnerability({
        id: v.VulnerabilityID,
        name: v.PkgName,
        installed: v.InstalledVersion,
        fixed: v.FixedVersion,
        urgency: v.Severity,
        description: v.Title,
        purl: (v.PkgIdentifier as { PURL?: unknown } | undefined)?.PURL,
      }),
    );
}

/** Grype's JSON report (github.com/anchore/grype, "Output formats"). A system that it has no data on is not told. */
export function readGrype(text: string, inventory: Looked): Vulnerability[] {
  const report = parse('grype', text) as { matches?: unknown; distro?: { name?: unknown } };
  if (!Array.isArray(report.matches)) throw bad('grype', 'it has no matches');
  requireSystem('grype', inventory, Boolean(report.distro?.name));
  return report.matches.map((match: Record<string, Record<string, unknown>>) => {
    const { vulnerability = {}, artifact = {} } = match;
    const fix = vulnerability.fix as { state?: string; versions?: readonly string[] } | undefined;
    return toVulnerability({
      id: vulnerability.id,
      name: artifact.name,
      installed: artifact.version,
      fixed: fix?.state === 'fixed' ? fix.versions?.[0] : undefined,
      urgency: vulnerability.severity,
      description: vulnerability.description,
      purl: artifact.purl,
    });
  });
}

function toVulnerability(found: Readonly<Record<string, unknown>>): Vulnerability {
  const fixed = typeof found.fixed === 'string' && found.fixed !== '' ? found.fixed : undefined;
  return {
    id: String(found.id),
    name: String(found.name),
    installed: String(found.installed),
    state: fixed === undefined ? 'unfixed' : 'fixable',
    ...(fixed !== undefined && { fixed }),
    urgency: WORDS.get(String(found.urgency).toLowerCase()) ?? 'unknown',
    ...(typeof found.description === 'string' && { description: found.description }),
    purls: typeof found.purl === 'string' ? [found.purl] : [],
  };
}

function parse(scanner: ExternalScanner, text: string): object {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null) return json;
  } catch (error) {
    throw bad(scanner, (error as Error).message);
  }
  throw bad(scanner, 'it is no object');
}

function bad(scanner: ExternalScanner, what: string): IngotError {
  return new IngotError('scan/bad-scanner', `the report of ${scanner} cannot be read: ${what}`, {
    hint: `Run ${scanner} by hand to see what it says; is its version very old or new?`,
  });
}
