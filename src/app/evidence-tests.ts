import type { Json } from '../core/digest.ts';
import type { EvidenceBundle, EvidenceVulnerabilities } from '../core/evidence.ts';
import type { PatternResult } from '../scan/patterns.ts';
import type { ResidueResult } from '../scan/residue.ts';
import type { VulnerabilityReport } from '../scan/vulnerabilities.ts';

/** What a test found, as its own report has it. */
export interface TestData {
  readonly step: string;
  readonly type: string;
  readonly data: Json;
}

/** What the scans say beyond the checks that every test has. */
export function scansOf(
  tests: readonly TestData[],
): Pick<EvidenceBundle, 'vulnerabilities' | 'residue' | 'secrets'> {
  const of = <T, R>(type: string, map: (step: string, data: T) => R): R[] =>
    tests.filter((t) => t.type === type).map((t) => map(t.step, t.data as unknown as T));
  return {
    vulnerabilities: of('vulnerabilities', vulnerabilitiesOf),
    residue: of('residue', (step, { searched, secrets }: ResidueResult) => ({
      step,
      searched,
      secrets: secrets.map(({ name, status, places }) => ({ name, status, places })),
    })),
    secrets: of('secrets', (step, { files, findings }: PatternResult) => ({
      step,
      files,
      findings: findings.map(({ rule, path, line }) => ({ rule, path, line })),
    })),
  };
}

function vulnerabilitiesOf(step: string, report: VulnerabilityReport): EvidenceVulnerabilities {
  const counting = report.vulnerabilities.filter(
    ({ verdict }) => verdict !== 'ignored' && verdict !== 'not-affected',
  );
  const severities: Record<string, number> = {};
  for (const { urgency } of counting) severities[urgency] = (severities[urgency] ?? 0) + 1;
  return {
    step,
    scanner: report.scanner,
    databases: report.databases.map(({ location, date }) => ({ location, date })),
    severities,
    found: report.vulnerabilities.map(({ id, name, installed, fixed, urgency, state, verdict, why }) => ({
      id,
      package: name,
      installed,
      ...(fixed !== undefined && { fixed }),
      severity: urgency,
      state,
      verdict,
      why,
    })),
  };
}
