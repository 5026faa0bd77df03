/** What of `a` is replaced by what of `b`: half-open ranges of lines. */
interface Opcode {
  readonly same: boolean;
  readonly a: readonly [number, number];
  readonly b: readonly [number, number];
}

/**
 * A unified diff with one line of context, headed `--- test` and `+++ actual`, as goss's reports carry it. The
 * algorithm is that of Python's difflib (Ratcliff and Obershelp, "Pattern Matching: the Gestalt Approach"), which
 * decides what counts as moved.
 */
export function lineDiff(expected: string, actual: string): string {
  const [a, b] = [splitLines(expected), splitLines(actual)];
  const out = ['--- test\n', '+++ actual\n'];
  for (const group of grouped(opcodes(a, b))) {
    const first = group[0] as Opcode;
    const last = group.at(-1) as Opcode;
    out.push(`@@ -${span(first.a[0], last.a[1])} +${span(first.b[0], last.b[1])} @@\n`);
    for (const { same, a: ra, b: rb } of group) {
      if (same) out.push(...a.slice(...ra).map((line) => ` ${line}`));
      else out.push(...a.slice(...ra).map((line) => `-${line}`), ...b.slice(...rb).map((line) => `+${line}`));
    }
  }
  return out.join('');
}

/** Lines with their ends; the last gets one too. */
function splitLines(text: string): string[] {
  return text.split('\n').map((line) => `${line}\n`);
}

function span(from: number, to: number): string {
  const length = to - from;
  if (length === 1) return String(from + 1);
  return `${length === 0 ? from : from + 1},${length}`;
}

/** Lines of context around a change. */
const CONTEXT = 1;

function grouped(codes: readonly Opcode[]): Opcode[][] {
  const groups: Opcode[][] = [];
  let group: Opcode[] = [];
  codes.forEach((code, i) => {
    if (!code.same) {
      group.push(code);
      return;
    }
    const [a1, a2] = code.a;
    const [b1, b2] = code.b;
    const head = i === 0 ? 0 : CONTEXT;
    const tail = i === codes.length - 1 ? 0 : CONTEXT;
    if (i > 0 && i < codes.length - 1 && a2 - a1 <= 2 * CONTEXT) {
      group.push(code);
      return;
    }
    if (head > 0) {
      const end = Math.min(a2, a1 + head);
      group.push({ same: true, a: [a1, end], b: [b1, b1 + end - a1] });
      groups.push(group);
    }
    const start = Math.max(a1, a2 - tail);
    group = tail > 0 ? [{ same: true, a: [start, a2], b: [b2 - (a2 - start), b2] }] : [];
  });
  if (group.some((code) => !code.same)) groups.push(group);
  return groups;
}

function opcodes(a: readonly string[], b: readonly string[]): Opcode[] {
  const codes: Opcode[] = [];
  let [i, j] = [0, 0];
  for (const { a: x, b: y, size } of [...matchingBlocks(a, b), { a: a.length, b: b.length, size: 0 }]) {
    if (i < x || j < y) codes.push({ same: false, a: [i, x], b: [j, y] });
    if (size > 0) codes.push({ same: true, a: [x, x + size], b: [y, y + size] });
    [i, j] = [x + size, y + size];
  }
  return codes;
}

interface Block {
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

/** The longest common stretches, left and right of each other, adjacent ones joined. */
function matchingBlocks(a: readonly string[], b: readonly string[]): Block[] {
  const places = new Map<string, number[]>();
  b.forEach((line, j) => {
    const at = places.get(line);
    if (at) at.push(j);
    else places.set(line, [j]);
  });
  // difflib passes over lines that make up more than a hundredth of a long text.
  if (b.length >= 200)
    for (const [line, at] of places) if (at.length > Math.floor(b.length / 100) + 1) places.delete(line);
  const found: Block[] = [];
  const queue: [number, number, number, number][] = [[0, a.length, 0, b.length]];
  for (let range = queue.pop(); range; range = queue.pop()) {
    const [aLow, aHigh, bLow, bHigh] = range;
    const block = longest(a, b, places, range);
    if (block.size === 0) continue;
    found.push(block);
    if (aLow < block.a && bLow < block.b) queue.push([aLow, block.a, bLow, block.b]);
    if (block.a + block.size < aHigh && block.b + block.size < bHigh)
      queue.push([block.a + block.size, aHigh, block.b + block.size, bHigh]);
  }
  const joined: Block[] = [];
  for (const block of found.sort((x, y) => x.a - y.a || x.b - y.b)) {
    const last = joined.at(-1);
    if (last && last.a + last.size === block.a && last.b + last.size === block.b)
      joined[joined.length - 1] = { ...last, size: last.size + block.size };
    else joined.push(block);
  }
  return joined;
}

function longest(
  a: readonly string[],
  b: readonly string[],
  places: ReadonlyMap<string, readonly number[]>,
  [aLow, aHigh, bLow, bHigh]: readonly [number, number, number, number],
): Block {
  let [bestA, bestB, size] = [aLow, bLow, 0];
  let lengths = new Map<number, number>();
  for (let i = aLow; i < aHigh; i++) {
    const next = new Map<number, number>();
    for (const j of places.get(a[i] as string) ?? []) {
      if (j < bLow) continue;
      if (j >= bHigh) break;
      const k = (lengths.get(j - 1) ?? 0) + 1;
      next.set(j, k);
      if (k > size) [bestA, bestB, size] = [i - k + 1, j - k + 1, k];
    }
    lengths = next;
  }
  while (bestA > aLow && bestB > bLow && a[bestA - 1] === b[bestB - 1]) {
    bestA--;
    bestB--;
    size++;
  }
  while (bestA + size < aHigh && bestB + size < bHigh && a[bestA + size] === b[bestB + size]) size++;
  return { a: bestA, b: bestB, size };
}
