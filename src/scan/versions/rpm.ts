/** The order of `[epoch:]version[-release]` as rpm has it (rpm-version(7)): negative, 0 or positive. */
export function compareRpmVersions(a: string, b: string): number {
  const [one, other] = [parse(a), parse(b)];
  return (
    compareParts(one.epoch, other.epoch) ||
    compareParts(one.version, other.version) ||
    (one.release === '' || other.release === '' ? 0 : compareParts(one.release, other.release))
  );
}

function parse(text: string): { epoch: string; version: string; release: string } {
  const [, epoch = '0', rest = ''] = /^(?:(\d+):)?(.*)$/s.exec(text) ?? [];
  const hyphen = rest.lastIndexOf('-');
  return hyphen < 0
    ? { epoch, version: rest, release: '' }
    : { epoch, version: rest.slice(0, hyphen), release: rest.slice(hyphen + 1) };
}

/** Runs of digits or letters, separators left out; `~` sorts before everything, `^` after the end and before the rest. */
function compareParts(a: string, b: string): number {
  const [one, other] = [segments(a), segments(b)];
  for (let i = 0; i < Math.max(one.length, other.length); i++) {
    const order = compareSegments(one[i], other[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function segments(text: string): string[] {
  return text.match(/[0-9]+|[A-Za-z]+|~|\^/g) ?? [];
}

function compareSegments(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === '~' || b === '~') return a === '~' ? -1 : 1;
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  if (a === '^' || b === '^') return a === '^' ? -1 : 1;
  const [numericA, numericB] = [/^\d/.test(a), /^\d/.test(b)];
  if (numericA !== numericB) return numericA ? 1 : -1;
  if (!numericA) return a < b ? -1 : 1;
  const [one, other] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return one.length - other.length || (one < other ? -1 : one > other ? 1 : 0);
}
