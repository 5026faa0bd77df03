import { Document, Scalar, type ScalarTag, visit } from 'yaml';
import { stringTag } from 'yaml/util';
import { isMap } from './document.ts';
import { goScalars } from './go-scalars.ts';
import { naturally } from './natural-order.ts';

/** Texts that Go's reader, or one of YAML 1.1, takes for something else than a text (yaml.v3, resolve.go, encode.go). */
const NOT_TEXT = [
  /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE)?$/,
  /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/,
  /^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/,
  /^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+)$/,
  /^[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/,
  /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/,
  /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]+\d{1,2}:\d{1,2}:\d{1,2}.*)?$/,
];

/** Characters at whose sight a plain text needs quotes: what begins or divides something in YAML. */
const INDICATOR = /^(?:---|\.\.\.|[#,[\]{}&*!|>'"%@`]|[?:-](?:[ \t]|$))|:(?:[ \t]|$)|[ \t]#|^ | $/;
/** Only double quotes can hold these: what YAML does not print, and line ends that readers fold. */
const SPECIAL =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/;
const BLANK_BEFORE_BREAK = / \n/;

/** What stands escaped in double quotes (yaml.v3, emitterc.go); of what has no letter, the number. */
const ESCAPED =
  // oxlint-disable-next-line no-control-regex
  /["\\]|[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]|[\u{10000}-\u{10ffff}]/gu;
const LETTERS: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '\0': '0',
  '\x07': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\x1b': 'e',
  '\x85': 'N',
  '\u2028': 'L',
  '\u2029': 'P',
};

const text: ScalarTag = {
  ...stringTag,
  stringify(item, ...rest) {
    if (item.type !== Scalar.QUOTE_DOUBLE)
      return (stringTag.stringify as NonNullable<ScalarTag['stringify']>)(item, ...rest);
    return `"${(item.value as string).replace(ESCAPED, (c) => `\\${LETTERS[c] ?? numbered(c)}`)}"`;
  },
};

function numbered(character: string): string {
  const code = (character.codePointAt(0) as number).toString(16).toUpperCase();
  if (code.length <= 2) return `x${code.padStart(2, '0')}`;
  return code.length <= 4 ? `u${code.padStart(4, '0')}` : `U${code.padStart(8, '0')}`;
}

/** With strings written by us. */
function tags(all: Parameters<typeof goScalars>[0]): ReturnType<typeof goScalars> {
  return [...goScalars(all.filter((tag) => typeof tag === 'string' || tag.tag !== stringTag.tag)), text];
}

/**
 * A document as Go's yaml.v3 writes it, so that what was written with vals stays the same: sorted keys, two blanks,
 * single quotes where quotes are needed, double ones around texts that look like something else, blocks for lines.
 */
export function goYaml(value: unknown): string {
  const document = new Document(sorted(value), { aliasDuplicateObjects: false, customTags: tags });
  visit(document, {
    Scalar(key, node: Scalar) {
      if (typeof node.value === 'string') node.type = styleOf(node.value, key === 'key');
    },
  });
  return document.toString({ lineWidth: 0, minContentWidth: 0 });
}

function styleOf(text: string, isKey: boolean): Scalar.Type {
  if (NOT_TEXT.some((pattern) => pattern.test(text))) return Scalar.QUOTE_DOUBLE;
  if (text.includes('\n')) {
    const asBlock = !isKey && !text.endsWith(' ') && !BLANK_BEFORE_BREAK.test(text);
    return asBlock && !SPECIAL.test(text.replaceAll('\t', '')) ? Scalar.BLOCK_LITERAL : Scalar.QUOTE_DOUBLE;
  }
  if (SPECIAL.test(text)) return Scalar.QUOTE_DOUBLE;
  return INDICATOR.test(text) ? Scalar.QUOTE_SINGLE : Scalar.PLAIN;
}

/** With the keys of every map in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMap(value)) return value;
  const keys = Object.keys(value).sort(naturally);
  return new Map(keys.map((key) => [key, sorted(value[key])]));
}
