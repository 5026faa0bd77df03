import type { MutationReport, Verdict } from '../app/goss-mutate.ts';
import { table } from './table.ts';

/** The score by origin, and every mutation that went unnoticed with the attribute that would notice it. */
export function mutationText(report: MutationReport): string {
  const { mutations, possible, score } = report;
  const count = (of: readonly Verdict[], noticed: boolean): string =>
    String(of.filter((m) => m.noticed === noticed).length);
  const rows = (['named', 'own'] as const).map((origin) => {
    const of = mutations.filter((m) => m.origin === origin);
    return [ORIGINS[origin], String(of.length), count(of, true), count(of, false)];
  });
  const missed = mutations.filter((m) => !m.noticed);
  const limited =
    possible > mutations.length ? ` (${mutations.length} of ${possible} possible mutations were tried)` : '';
  return [
    table(['mutations of', 'tried', 'noticed', 'not noticed'], rows),
    ...(missed.length === 0
      ? []
      : [
          '',
          'Not noticed:',
          table(
            ['what', 'change', 'would be noticed by'],
            missed.map((m) => [`${m.type} ${m.subject}`, m.change, m.attribute]),
          ),
        ]),
    '',
    `Score: ${score} %${limited}`,
  ].join('\n');
}

const ORIGINS = { named: 'what the goss file names', own: 'what the image brings' } as const;
