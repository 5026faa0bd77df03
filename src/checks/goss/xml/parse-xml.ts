import type { XmlNode } from './node.ts';

/** A text is no XML. */
export class XmlError extends Error {}

/** Deeper ones are made to break readers. */
const MAX_DEPTH = 500;
const NAME = /[\p{L}_][\p{L}\p{M}\p{N}_.-]*(?::[\p{L}_][\p{L}\p{M}\p{N}_.-]*)?/uy;
const ATTRIBUTE = /\s*([^\s=/<>"']+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', apos: "'", quot: '"' };
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';

type Writable = { -readonly [K in keyof XmlNode]: XmlNode[K] } & {
  attributes: XmlNode[];
  children: Writable[];
};

/**
 * Reads a document (XML 1.0, Namespaces in XML 1.0). A document type is passed over: entities of its own are not known,
 * so that none can grow. Throws XmlError with the line.
 */
export function parseXml(text: string): XmlNode {
  return new XmlParser(text).parse();
}

class XmlParser {
  readonly #text: string;
  #at = 0;
  #order = 0;

  constructor(text: string) {
    this.#text = text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  }

  parse(): XmlNode {
    const document = this.#node('document', undefined);
    let open = document;
    let depth = 0;
    const spaces: ReadonlyMap<string, string>[] = [new Map([['xml', XML_NAMESPACE]])];
    while (this.#at < this.#text.length) {
      if (!this.#text.startsWith('<', this.#at)) {
        this.#characters(open);
      } else if (this.#text.startsWith('</', this.#at)) {
        this.#close(open);
        open = open.parent as Writable;
        spaces.pop();
        depth--;
      } else if (!this.#special(open)) {
        const space = spaces.at(-1) as ReadonlyMap<string, string>;
        const { element, scope, ended } = this.#open(open, space);
        if (ended) continue;
        if (++depth > MAX_DEPTH) throw this.#error(`nested more than ${MAX_DEPTH} deep`);
        open = element;
        spaces.push(scope);
      }
    }
    if (open !== document) throw this.#error('unexpected EOF');
    if (!document.children.some((c) => c.kind === 'element')) throw this.#error('there is no element');
    return document;
  }

  #error(why: string): XmlError {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    return new XmlError(`XML syntax error on line ${line}: ${why}`);
  }

  #node(kind: XmlNode['kind'], parent: Writable | undefined, of: Partial<Writable> = {}): Writable {
    const node: Writable = {
      kind,
      name: '',
      prefix: '',
      namespace: '',
      value: '',
      parent,
      attributes: [],
      children: [],
      order: this.#order++,
      ...of,
    };
    if (kind !== 'attribute') parent?.children.push(node);
    return node;
  }

  #characters(parent: Writable): void {
    const end = this.#text.indexOf('<', this.#at);
    const raw = this.#text.slice(this.#at, end === -1 ? undefined : end);
    const value = this.#unescaped(raw);
    if (parent.kind !== 'document') this.#node('text', parent, { value });
    else if (raw.trim() !== '') throw this.#error('text outside of the root element');
    this.#at += raw.length;
  }

  #unescaped(raw: string): string {
    return raw.replace(/&([^;&\s]{0,12});?/g, (all, name: string) => {
      const [, hex, decimal] = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/.exec(name) ?? [];
      const point =
        hex !== undefined ? Number.parseInt(hex, 16) : decimal === undefined ? -1 : Number(decimal);
      const char = point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : ENTITIES[name];
      if (char === undefined || !all.endsWith(';')) throw this.#error(`invalid character entity ${all}`);
      return char;
    });
  }

  /** Comments, CDATA, instructions, the document type. */
  #special(parent: Writable): boolean {
    const comment = this.#between('<!--', '-->');
    if (comment !== undefined) this.#node('comment', parent, { value: comment });
    const data = comment === undefined ? this.#between('<![CDATA[', ']]>') : undefined;
    if (data !== undefined) this.#node('cdata', parent, { value: data });
    const instruction = comment === undefined && data === undefined ? this.#between('<?', '?>') : undefined;
    const [, name = '', value = ''] = /^(\S+)\s*(.*)$/s.exec(instruction ?? '') ?? [];
    if (name !== '' && name !== 'xml') this.#node('instruction', parent, { name, value });
    if (comment !== undefined || data !== undefined || instruction !== undefined) return true;
    if (!this.#text.startsWith('<!', this.#at)) return false;
    this.#directive();
    return true;
  }

  #between(open: string, close: string): string | undefined {
    if (!this.#text.startsWith(open, this.#at)) return undefined;
    const end = this.#text.indexOf(close, this.#at + open.length);
    if (end === -1) throw this.#error('unexpected EOF');
    const inside = this.#text.slice(this.#at + open.length, end);
    this.#at = end + close.length;
    return inside;
  }

  #directive(): void {
    let depth = 0;
    let quote = '';
    for (; this.#at < this.#text.length; this.#at++) {
      const c = this.#text[this.#at] as string;
      if (quote !== '') quote = c === quote ? '' : quote;
      else if (c === '"' || c === "'") quote = c;
      else if (c === '<') depth++;
      else if (c === '>' && --depth === 0) {
        this.#at++;
        return;
      }
    }
    throw this.#error('unexpected EOF');
  }

  #name(): string {
    NAME.lastIndex = this.#at;
    const [name] = NAME.exec(this.#text) ?? [];
    if (name === undefined) throw this.#error('expected a name');
    this.#at += name.length;
    return name;
  }

  #open(
    parent: Writable,
    outer: ReadonlyMap<string, string>,
  ): { element: Writable; scope: ReadonlyMap<string, string>; ended: boolean } {
    this.#at++;
    const full = this.#name();
    const written: [string, string][] = [];
    for (;;) {
      ATTRIBUTE.lastIndex = this.#at;
      const match = ATTRIBUTE.exec(this.#text);
      if (!match) break;
      written.push([match[1] as string, this.#unescaped(match[2] ?? match[3] ?? '')]);
      this.#at += match[0].length;
    }
    const [end] = /^\s*\/?>/.exec(this.#text.slice(this.#at, this.#at + 1000)) ?? [];
    if (end === undefined) throw this.#error(`expected attribute name in element ${full}`);
    this.#at += end.length;
    const scope = new Map(outer);
    for (const [name, value] of written)
      if (name === 'xmlns' || name.startsWith('xmlns:')) scope.set(name.slice(6), value);
    const named = (name: string, plain: string): { name: string; prefix: string; namespace: string } => {
      const [prefix, local] = name.includes(':') ? (name.split(':') as [string, string]) : ['', name];
      return { prefix, name: local, namespace: prefix === '' ? plain : (scope.get(prefix) ?? '') };
    };
    const element = this.#node('element', parent, named(full, scope.get('') ?? ''));
    element.attributes = written.map(([name, value]) =>
      this.#node('attribute', element, { ...named(name, ''), value }),
    );
    return { element, scope, ended: end.endsWith('/>') };
  }

  #close(open: Writable): void {
    this.#at += 2;
    const name = this.#name();
    const expected = open.prefix === '' ? open.name : `${open.prefix}:${open.name}`;
    const [end] = /^\s*>/.exec(this.#text.slice(this.#at, this.#at + 1000)) ?? [];
    if (open.kind !== 'element') throw this.#error(`unexpected end element </${name}>`);
    if (name !== expected) throw this.#error(`element <${expected}> closed by </${name}>`);
    if (end === undefined) throw this.#error(`invalid characters between </${name} and >`);
    this.#at += end.length;
  }
}
