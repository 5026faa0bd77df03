import type { Change, ImageDiff } from './compare.ts';

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;
/** A table for people ends somewhere; JSON and HTML have everything. */
const MOST_FILES = 200;

export function kindOf({ before, after }: Change): keyof typeof SIGNS {
  return before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
}

/** A comparison for a terminal: a chapter for each kind of thing that differs. */
export function renderDiff(diff: ImageDiff): string {
  const lines = [`${diff.before} → ${diff.after}`];
  for (const { title, changes } of diff.sections) {
    if (changes.length === 0) continue;
    lines.push('', `${title}: ${summary(changes)}`);
    const shown = title === 'files' ? changes.slice(0, MOST_FILES) : changes;
    const width = Math.min(60, Math.max(...shown.map((c) => visible(c.name).length)));
    for (const change of shown) {
      lines.push(
        `  ${SIGNS[kindOf(change)]} ${visible(change.name).padEnd(width)}  ${values(change)}`.trimEnd(),
      );
    }
    if (changes.length > shown.length)
      lines.push(`  … and ${changes.length - shown.length} more; --json and --html show all`);
  }
  if (diff.same) lines.push('', 'Nothing differs.');
  if (diff.notes.length > 0) lines.push('', 'Not read in full:', ...diff.notes.map((n) => `  ${visible(n)}`));
  return `${lines.join('\n')}\n`;
}

/** `3 added, 1 changed` */
export function summary(changes: readonly Change[]): string {
  return (['added', 'removed', 'changed'] as const)
    .map((kind) => [changes.filter((c) => kindOf(c) === kind).length, kind] as const)
    .filter(([count]) => count > 0)
    .map(([count, kind]) => `${count} ${kind}`)
    .join(', ');
}

function values({ before, after, direction }: Change): string {
  const shown = [before, after].flatMap((v) => (v === undefined ? [] : [visible(v)])).join(' → ');
  return direction === 'older' ? `${shown}  (older)` : shown;
}

/** Names and values come from images: they must not steer the terminal. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}
