import { expect, test } from 'vitest';
import { goQuote } from '../../../src/template/value/go-quote.ts';

test.each([
  ['a "b" \\ é 語', '"a \\"b\\" \\\\ é 語"'],
  ['\u0000\u0007\b\t\n\v\f\r\u001b\u007f', '"\\x00\\a\\b\\t\\n\\v\\f\\r\\x1b\\x7f"'],
  ['\u00a0\u00ad\u2028\ufeff', '"\\u00a0\\u00ad\\u2028\\ufeff"'],
  ['\ue000\u{e0001}\u{1f600}', '"\\ue000\\U000e0001\u{1f600}"'],
])('%j', (text, quoted) => expect(goQuote(text)).toBe(quoted));
