import { isWhollyKnown, type Value } from './value.ts';
import { valueKey } from './set.ts';
import { isWhole, sameType } from './type.ts';

/** Whether two values are equal: same type and content, or both null; undefined where it can't be known yet. */
export function equals(a: Value, b: Value): boolean | undefined {
  if (a.data === null && b.data === null) return true;
  if (a.data === undefined || b.data === undefined) return undefined;
  if (a.data === null || b.data === null) return false;
  if (isWhole(a.type) && isWhole(b.type) && !sameType(a.type, b.type)) return false;
  if (!isWhollyKnown(a) || !isWhollyKnown(b)) return undefined;
  return sameType(a.type, b.type) && valueKey(a) === valueKey(b);
}
