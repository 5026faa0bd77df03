/** A Debian version in its three parts. */
export interface DebianVersion {
  readonly epoch: string;
  readonly upstream: string;
  readonly revision: string;
}

/** `[epoch:]upstream[-revision]` (deb-version(7)); what has no revision has the revision "". */
export function parseDebianVersion(text: string): DebianVersion {
  const colon = text.indexOf(':');
  const rest = colon < 0 ? text : text.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? '0' : text.slice(0, colon),
    upstream: hyphen < 0 ? rest : rest.slice(0, hyphen),
    revision: hyphen < 0 ? '' : rest.slice(hyphen + 1),
  };
}

/** The order of Debian versions (deb-version(7), "Sorting algorithm"): negative, 0 or positive. */
export function compareDebianVersions(a: string, b: string): number {
  if (a === b) return 0;
  const [one, other] = [parseDebianVersion(a), parseDebianVersion(b)];
  return (
    comparePart(one.epoch, other.epoch) ||
    comparePart(one.upstream, other.upstream) ||
    comparePart(one.revision, other.revision)
  );
}

/** Alternating runs of non-digits, by rank of each character, and digits, by number of any length. */
function comparePart(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const difference = rank(a, i) - rank(b, j);
      if (difference !== 0) return difference;
      i++;
      j++;
    }
    const [endA, endB] = [endOfDigits(a, i), endOfDigits(b, j)];
    while (a[i] === '0' && i < endA) i++;
    while (b[j] === '0' && j < endB) j++;
    const longer = endA - i - (endB - j);
    if (longer !== 0) return longer;
    for (; i < endA; i++, j++) {
      const difference = a.charCodeAt(i) - b.charCodeAt(j);
      if (difference !== 0) return difference;
    }
  }
  return 0;
}

/** `~` comes before the end of the part, that before letters, and letters before everything else. */
function rank(text: string, at: number): number {
  const c = text.charCodeAt(at);
  if (at >= text.length || isDigit(text, at)) return 0;
  if (c === 0x7e) return -1;
  const isLetter = (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a);
  return isLetter ? c : c + 256;
}

function isDigit(text: string, at: number): boolean {
  const c = text.charCodeAt(at);
  return c >= 0x30 && c <= 0x39;
}

function endOfDigits(text: string, from: number): number {
  let end = from;
  while (end < text.length && isDigit(text, end)) end++;
  return end;
}
