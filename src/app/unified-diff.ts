/** Lines of context around a change, as diff(1) has it. */
const CONTEXT = 3;
/** Beyond this many compared pairs of lines, a changed stretch is shown as removed and added whole. */
const MAX_PAIRS = 4_000_000;

interface Edit {
  readonly mark: ' ' | '-' | '+';
  readonly line: string;
}

/** The differences of two texts in unified format (POSIX diff -u); empty for equal texts. */
export function unifiedDiff(before: string, after: string, oldName: string, newName: string): string {
  if (before === after) return '';
  const edits = editsBetween(linesOf(before), linesOf(after));
  const parts = [`--- ${oldName}\n+++ ${newName}\n`];
  for (const [start, end] of hunks(edits)) parts.push(hunk(edits, start, end));
  return parts.join('');
}

/** Lines with their ends; a last line without one is marked as diff marks it. */
function linesOf(text: string): string[] {
  const lines = text.split('\n');
  const last = lines.pop() as string;
  const whole = lines.map((line) => `${line}\n`);
  return last === '' ? whole : [...whole, `${last}\n\\ No newline at end of file\n`];
}

/** The shortest way from one list to the other: a longest common subsequence between equal start and end. */
function editsBetween(before: readonly string[], after: readonly string[]): Edit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) {
    end++;
  }
  const same = (line: string): Edit => ({ mark: ' ', line });
  return [
    ...before.slice(0, start).map(same),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same),
  ];
}

function middle(before: readonly string[], after: readonly string[]): Edit[] {
  const removed = (line: string): Edit => ({ mark: '-', line });
  const added = (line: string): Edit => ({ mark: '+', line });
  if (before.length * after.length > MAX_PAIRS) return [...before.map(removed), ...after.map(added)];
  const columns = after.length + 1;
  // common[i * columns + j]: length of the longest common subsequence of before[i…] and after[j…].
  const common = new Uint32Array((before.length + 1) * columns);
  const at = (i: number, j: number): number => common[i * columns + j] as number;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      common[i * columns + j] =
        before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const edits: Edit[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      edits.push({ mark: ' ', line: before[i++] as string });
      j++;
    } else if (i < before.length && (j === after.length || at(i + 1, j) >= at(i, j + 1))) {
      edits.push(removed(before[i++] as string));
    } else edits.push(added(after[j++] as string));
  }
  return edits;
}

/** Stretches of edits to show: changes with their context, joined where contexts touch. */
function hunks(edits: readonly Edit[]): [number, number][] {
  const found: [number, number][] = [];
  edits.forEach((edit, index) => {
    if (edit.mark === ' ') return;
    const start = Math.max(0, index - CONTEXT);
    const end = Math.min(edits.length, index + CONTEXT + 1);
    const last = found.at(-1);
    if (last && start <= last[1]) last[1] = end;
    else found.push([start, end]);
  });
  return found;
}

function hunk(edits: readonly Edit[], start: number, end: number): string {
  const count = (list: readonly Edit[], without: Edit['mark']): number =>
    list.filter((edit) => edit.mark !== without).length;
  const head = edits.slice(0, start);
  const body = edits.slice(start, end);
  const range = (without: Edit['mark']): string => {
    const length = count(body, without);
    const first = count(head, without) + (length === 0 ? 0 : 1);
    return length === 1 ? String(first) : `${first},${length}`;
  };
  const lines = body.map(({ mark, line }) => mark + line);
  return `@@ -${range('+')} +${range('-')} @@\n${lines.join('')}`;
}
