/** Suffixes in their order (apk-package(5)); none stands between `_rc` and `_cvs`. */
const SUFFIXES = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'];
const PATTERN =
  /^(\d+(?:\.\d+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*)(?:~[0-9a-f]+)?(?:-r(\d+))?$/;

/** The order of Alpine's versions (apk-package(5)); undefined where one is none. */
export function compareAlpineVersions(a: string, b: string): number | undefined {
  const [one, other] = [PATTERN.exec(a), PATTERN.exec(b)];
  if (!one || !other) return undefined;
  const [, numbersA = '', letterA = '', suffixesA = '', revisionA = '0'] = one;
  const [, numbersB = '', letterB = '', suffixesB = '', revisionB = '0'] = other;
  return (
    compareDotted(numbersA.split('.'), numbersB.split('.')) ||
    compareText(letterA, letterB) ||
    compareSuffixes(suffixesA, suffixesB) ||
    compareNumbers(revisionA, revisionB)
  );
}

/** After the first, a number with a leading zero is a fraction: compared as text. */
function compareDotted(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [one, other] = [a[i], b[i]];
    if (one === undefined || other === undefined) return a.length - b.length;
    const fraction = i > 0 && (one.startsWith('0') || other.startsWith('0'));
    const order = fraction ? compareText(one, other) : compareNumbers(one, other);
    if (order !== 0) return order;
  }
  return 0;
}

function compareSuffixes(a: string, b: string): number {
  const [one, other] = [suffixes(a), suffixes(b)];
  for (let i = 0; i < Math.max(one.length, other.length); i++) {
    const [nameA, numberA] = one[i] ?? ['', '0'];
    const [nameB, numberB] = other[i] ?? ['', '0'];
    const order = SUFFIXES.indexOf(nameA) - SUFFIXES.indexOf(nameB) || compareNumbers(numberA, numberB);
    if (order !== 0) return order;
  }
  return 0;
}

function suffixes(text: string): [string, string][] {
  return [...text.matchAll(/_([a-z]+)(\d*)/g)].map((m) => [m[1] as string, m[2] || '0']);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareNumbers(a: string, b: string): number {
  const [one, other] = [a.replace(/^0+(?=\d)/, ''), b.replace(/^0+(?=\d)/, '')];
  return one.length - other.length || compareText(one, other);
}
