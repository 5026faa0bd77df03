const LETTER = /\p{L}/u;
const DIGIT = /\p{Nd}/u;

/** The order in which Go's yaml.v3 writes the keys of a map: `a2` before `a10` (sorter.go, keyList.Less). */
export function naturally(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  let afterDigits = false;
  for (let i = 0; i < left.length && i < right.length; i++) {
    const l = left[i] as string;
    const r = right[i] as string;
    if (l === r) {
      afterDigits = DIGIT.test(l);
      continue;
    }
    const isLeftLetter = LETTER.test(l);
    const isRightLetter = LETTER.test(r);
    if (isLeftLetter && isRightLetter) return codeOf(l) - codeOf(r);
    if (isLeftLetter || isRightLetter) return isLeftLetter === afterDigits ? -1 : 1;
    // Behind a digit that is no zero, zeros count.
    const inNumber = (l === '0' || r === '0') && /[1-9]\d*$/.test(left.slice(0, i).join(''));
    const [leftNumber, rightNumber] = [digitsAt(left, i), digitsAt(right, i)];
    const start = inNumber ? '1' : '';
    const difference = Number(start + leftNumber) - Number(start + rightNumber);
    return difference || leftNumber.length - rightNumber.length || codeOf(l) - codeOf(r);
  }
  return left.length - right.length;
}

function digitsAt(characters: readonly string[], start: number): string {
  let end = start;
  while (end < characters.length && DIGIT.test(characters[end] as string)) end++;
  return characters.slice(start, end).join('');
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}
