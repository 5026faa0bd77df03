import type { EvidenceTest } from '../../core/evidence.ts';
import { type Html, html } from '../../core/html.ts';

/** How something ended, in a sign, a color, and a word for those who see neither. */
export type Mark = 'good' | 'bad' | 'warn' | 'none';

const SIGNS: Readonly<Record<Mark, string>> = { good: '✓', bad: '✗', warn: '!', none: '–' };

export function mark(kind: Mark): Html {
  return html`<i class="mark ${kind === 'none' ? 'soft' : kind}" aria-hidden="true">${SIGNS[kind]}</i>`;
}

export function markOf(result: EvidenceTest['result']): Mark {
  return { passed: 'good', failed: 'bad', skipped: 'none' }[result] as Mark;
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ['boot', 'Boot'],
  ['goss', 'Goss'],
  ['policy', 'Policy'],
  ['residue', 'Secrets of the build'],
  ['secrets', 'Secrets by their form'],
  ['vulnerabilities', 'Vulnerabilities'],
]);

/** What people call a test of this type. */
export function testName(type: string): string {
  return NAMES.get(type) ?? type;
}

/** `1 check`, `2 checks`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
