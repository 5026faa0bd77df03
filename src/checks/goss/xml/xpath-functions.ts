import { compileRegexp } from '../matchers/go-regexp.ts';
import { stringValue, type XmlNode } from './node.ts';
import { qualified } from './write-xml.ts';

/** What an expression gives. Nodes are in the order of the document. */
export type XPathValue = string | number | boolean | readonly XmlNode[];

/** Where an expression is evaluated. */
export interface Place {
  readonly node: XmlNode;
  /** From 1. */
  readonly position: number;
  readonly size: number;
}

export function toText(value: XPathValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object') return value[0] ? stringValue(value[0]) : '';
  return String(value);
}

export function toNumber(value: XPathValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const text = toText(value).trim();
  return /^-?(?:\d+(?:\.\d*)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
}

export function toBoolean(value: XPathValue): boolean {
  if (typeof value === 'object') return value.length > 0;
  return typeof value === 'number' ? value !== 0 && !Number.isNaN(value) : Boolean(value);
}

type Call = (args: readonly XPathValue[], place: Place) => XPathValue;

/** A function of texts, of the node at hand where nothing is given. */
const ofTexts =
  (call: (...texts: string[]) => XPathValue): Call =>
  (args, { node }) =>
    call(...(args.length === 0 ? [stringValue(node)] : args.map(toText)));

const ofNode =
  (call: (node: XmlNode) => string): Call =>
  ([nodes], { node }) => {
    const [first] = nodes === undefined ? [node] : typeof nodes === 'object' ? nodes : [];
    return first ? call(first) : '';
  };

/** XPath rounds halves up. */
const round = (value: number): number => Math.floor(value + 0.5);

function substring(text: string, from: XPathValue, length: XPathValue | undefined): string {
  const begin = round(toNumber(from));
  const end = length === undefined ? Infinity : begin + round(toNumber(length));
  return Array.from(text)
    .filter((_, i) => i + 1 >= begin && i + 1 < end)
    .join('');
}

function translate(text: string, from: string, to: string): string {
  const [wanted, given] = [Array.from(from), Array.from(to)];
  return Array.from(text)
    .map((char) => {
      const i = wanted.indexOf(char);
      return i === -1 ? char : (given[i] ?? '');
    })
    .join('');
}

function before(text: string, part: string): string {
  const at = text.indexOf(part);
  return at === -1 ? '' : text.slice(0, at);
}

function after(text: string, part: string): string {
  const at = text.indexOf(part);
  return at === -1 ? '' : text.slice(at + part.length);
}

const nodesOf = (value: XPathValue | undefined): readonly XmlNode[] =>
  typeof value === 'object' ? value : [];

/** Least and most arguments, and what is done with them: XPath 1.0, section 4, and some that goss has of XPath 2. */
const FUNCTIONS: ReadonlyMap<string, readonly [number, number, Call]> = new Map<
  string,
  [number, number, Call]
>([
  ['last', [0, 0, (_args, { size }) => size]],
  ['position', [0, 0, (_args, { position }) => position]],
  ['count', [1, 1, ([nodes]) => nodesOf(nodes).length]],
  ['local-name', [0, 1, ofNode((node) => node.name)]],
  ['name', [0, 1, ofNode(qualified)]],
  ['namespace-uri', [0, 1, ofNode((node) => node.namespace)]],
  ['string', [0, 1, ofTexts((text = '') => text)]],
  ['concat', [2, 100, ofTexts((...texts) => texts.join(''))]],
  ['string-join', [2, 2, ([nodes, by = '']) => nodesOf(nodes).map(stringValue).join(toText(by))]],
  ['starts-with', [2, 2, ofTexts((text = '', part = '') => text.startsWith(part))]],
  ['ends-with', [2, 2, ofTexts((text = '', part = '') => text.endsWith(part))]],
  ['contains', [2, 2, ofTexts((text = '', part = '') => text.includes(part))]],
  ['matches', [2, 2, ofTexts((text = '', pattern = '') => compileRegexp(pattern).find(text) !== undefined)]],
  ['substring-before', [2, 2, ofTexts((text = '', part = '') => before(text, part))]],
  ['substring-after', [2, 2, ofTexts((text = '', part = '') => after(text, part))]],
  ['substring', [2, 3, ([text = '', from = 1, length]) => substring(toText(text), from, length)]],
  ['string-length', [0, 1, ofTexts((text = '') => Array.from(text).length)]],
  ['normalize-space', [0, 1, ofTexts((text = '') => text.trim().replace(/\s+/g, ' '))]],
  ['translate', [3, 3, ofTexts((text = '', from = '', to = '') => translate(text, from, to))]],
  ['replace', [3, 3, ofTexts((text = '', from = '', to = '') => text.replaceAll(from, () => to))]],
  ['lower-case', [1, 1, ofTexts((text = '') => text.toLowerCase())]],
  ['boolean', [1, 1, ([value = '']) => toBoolean(value)]],
  ['not', [1, 1, ([value = '']) => !toBoolean(value)]],
  ['true', [0, 0, () => true]],
  ['false', [0, 0, () => false]],
  ['number', [0, 1, ([value], { node }) => toNumber(value ?? stringValue(node))]],
  ['sum', [1, 1, ([nodes]) => nodesOf(nodes).reduce((sum, node) => sum + toNumber([node]), 0)]],
  ['floor', [1, 1, ([value = '']) => Math.floor(toNumber(value))]],
  ['ceiling', [1, 1, ([value = '']) => Math.ceil(toNumber(value))]],
  ['round', [1, 1, ([value = '']) => round(toNumber(value))]],
]);

export function isFunction(name: string, args: number): boolean {
  const [least, most] = FUNCTIONS.get(name) ?? [1, 0];
  return args >= least && args <= most;
}

/** What a function that there is gives. */
export function callFunction(name: string, args: readonly XPathValue[], place: Place): XPathValue {
  const found = FUNCTIONS.get(name);
  if (!found) throw new TypeError(`no function ${name}`);
  return found[2](args, place);
}
