import {
  type Command,
  type GoNode,
  type GoTemplate,
  GoTemplateError,
  type Operand,
  type Pipeline,
} from './ast.ts';
import { type Piece, split } from './split.ts';

const MAX_DEPTH = 100;
const TOKEN =
  /\s*(?:("(?:[^"\\\n]|\\.)*")|(`[^`]*`)|('(?:[^'\\\n]|\\.)+')|([+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?))|(\$[\p{L}\p{N}_]*)|((?:\.[\p{L}_][\p{L}\p{N}_]*)+)|([\p{L}_][\p{L}\p{N}_]*)|(:=|[|().,=]))/uy;

interface Token {
  readonly kind: 'string' | 'raw' | 'char' | 'number' | 'variable' | 'fields' | 'word' | 'mark';
  readonly text: string;
  /** A blank stands before it: `f .x` is a call, `f.x` is not. */
  readonly spaced: boolean;
}

const KINDS = ['string', 'raw', 'char', 'number', 'variable', 'fields', 'word', 'mark'] as const;

/** Parses a template of Go's text/template. Throws GoTemplateError. */
export function parseGoTemplate(text: string): GoTemplate {
  return new GoParser(split(text)).parse();
}

class GoParser {
  readonly #pieces: readonly Piece[];
  readonly #defined = new Map<string, readonly GoNode[]>();
  #at = 0;
  #depth = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  parse(): GoTemplate {
    const { nodes, end } = this.#list();
    if (end) throw new GoTemplateError(`unexpected {{${end.text}}}`, end.line);
    return { nodes, defined: this.#defined };
  }

  /** Nodes up to `end` or `else`, which comes back. */
  #list(): { nodes: GoNode[]; end: Piece | undefined } {
    const nodes: GoNode[] = [];
    while (this.#at < this.#pieces.length) {
      const piece = this.#pieces[this.#at++] as Piece;
      const { line, source } = piece;
      if (piece.kind === 'text') {
        nodes.push({ kind: 'text', text: piece.text, line, source });
        continue;
      }
      const word = /^(if|with|range|else|end|define|template|block|break|continue)(?![\p{L}\p{N}_])/u.exec(
        piece.text,
      )?.[1];
      if (word === 'end' || word === 'else') return { nodes, end: piece };
      const node = this.#node(word, piece);
      if (node) nodes.push(node);
    }
    return { nodes, end: undefined };
  }

  #node(word: string | undefined, piece: Piece): GoNode | undefined {
    const { line, source } = piece;
    const rest = piece.text.slice((word ?? '').length);
    switch (word) {
      case 'if':
      case 'with':
      case 'range':
        return this.#control(word, rest, piece);
      case 'break':
      case 'continue':
        return { kind: word, line, source };
      case 'define':
        this.#define(this.#name(rest, line).name, piece);
        return undefined;
      case 'template':
      case 'block': {
        const { name, after } = this.#name(rest, line);
        if (word === 'block') this.#define(name, piece);
        const pipeline = after.trim() === '' ? undefined : parsePipeline(after, line);
        return { kind: 'template', name, pipeline, line, source };
      }
      default:
        return { kind: 'action', pipeline: parsePipeline(piece.text, line), line, source };
    }
  }

  #define(name: string, piece: Piece): void {
    this.#deeper(piece);
    const { nodes, end } = this.#list();
    this.#depth--;
    if (end?.text !== 'end') throw new GoTemplateError(`{{${piece.text}}} has no {{end}}`, piece.line);
    this.#defined.set(name, nodes);
  }

  #control(kind: 'if' | 'with' | 'range', rest: string, piece: Piece): GoNode {
    const { line } = piece;
    const from = this.#at - 1;
    this.#deeper(piece);
    const pipeline = parsePipeline(rest, line);
    const { nodes: body, end } = this.#list();
    let otherwise: readonly GoNode[] = [];
    if (end && end.text !== 'end') {
      const chained = /^else\s+(if|with)(?![\p{L}\p{N}_])/u.exec(end.text);
      if (chained)
        otherwise = [this.#control(chained[1] as 'if' | 'with', end.text.slice(chained[0].length), end)];
      else {
        const last = this.#list();
        if (last.end?.text !== 'end') throw new GoTemplateError(`{{${piece.text}}} has no {{end}}`, line);
        otherwise = last.nodes;
      }
    } else if (!end) throw new GoTemplateError(`{{${piece.text}}} has no {{end}}`, line);
    this.#depth--;
    const source = this.#pieces
      .slice(from, this.#at)
      .map((p) => p.source)
      .join('');
    return { kind, pipeline, body, otherwise, line, source };
  }

  #deeper(piece: Piece): void {
    if (++this.#depth > MAX_DEPTH)
      throw new GoTemplateError(`nested more than ${MAX_DEPTH} levels deep`, piece.line);
  }

  #name(rest: string, line: number): { name: string; after: string } {
    const match = /^\s*("(?:[^"\\\n]|\\.)*"|`[^`]*`)/.exec(rest);
    if (!match) throw new GoTemplateError('a template is named by a string', line);
    return { name: readString(match[1] as string, line), after: rest.slice(match[0].length) };
  }
}

function tokenize(text: string, line: number): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (text.slice(at).trim() !== '') {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match)
      throw new GoTemplateError(`unexpected ${JSON.stringify(text.slice(at).trim().slice(0, 20))}`, line);
    const index = match.slice(1).findIndex((group) => group !== undefined);
    tokens.push({
      kind: KINDS[index] as Token['kind'],
      text: match[index + 1] as string,
      spaced: at === 0 || /^\s/.test(match[0]),
    });
    at = TOKEN.lastIndex;
  }
  return tokens;
}

function parsePipeline(text: string, line: number): Pipeline {
  const reader = new PipelineParser(tokenize(text, line), line);
  const pipeline = reader.pipeline();
  reader.end();
  return pipeline;
}

class PipelineParser {
  readonly #tokens: readonly Token[];
  readonly #line: number;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], line: number) {
    this.#tokens = tokens;
    this.#line = line;
  }

  end(): void {
    const token = this.#tokens[this.#at];
    if (token) this.#fail(`unexpected ${JSON.stringify(token.text)}`);
  }

  pipeline(): Pipeline {
    if (++this.#depth > MAX_DEPTH) this.#fail(`nested more than ${MAX_DEPTH} levels deep`);
    const declare = this.#declarations();
    const commands: Command[] = [];
    do commands.push(this.#command());
    while (this.#take('|'));
    this.#depth--;
    return { declare: declare.names, assign: declare.assign, commands };
  }

  /** `$x :=`, `$i, $x :=`, `$x =` */
  #declarations(): { names: string[]; assign: boolean } {
    const names: string[] = [];
    let ahead = this.#at;
    for (let token = this.#tokens[ahead]; token?.kind === 'variable'; token = this.#tokens[ahead]) {
      names.push(token.text);
      const mark = this.#tokens[ahead + 1]?.text;
      ahead += 2;
      if (mark === ':=' || mark === '=') {
        this.#at = ahead;
        return { names, assign: mark === '=' };
      }
      if (mark !== ',') break;
    }
    return { names: [], assign: false };
  }

  #command(): Command {
    const operands: Operand[] = [];
    for (let operand = this.#operand(); operand; operand = this.#operand()) operands.push(operand);
    if (operands.length === 0) this.#fail('a value is missing');
    return { operands };
  }

  #operand(): Operand | undefined {
    const token = this.#tokens[this.#at];
    if (!token || (token.kind === 'mark' && token.text !== '(' && token.text !== '.')) return undefined;
    this.#at++;
    let operand: Operand;
    if (token.kind === 'mark' && token.text === '(') {
      operand = { kind: 'pipeline', pipeline: this.pipeline() };
      if (!this.#take(')')) this.#fail('a "(" has no ")"');
    } else operand = this.#simple(token);
    const next = this.#tokens[this.#at];
    if (next?.kind !== 'fields' || next.spaced) return operand;
    this.#at++;
    return { kind: 'field', base: operand, path: next.text.slice(1).split('.') };
  }

  #simple(token: Token): Operand {
    switch (token.kind) {
      case 'string':
      case 'raw':
        return { kind: 'literal', value: readString(token.text, this.#line) };
      case 'char':
        return {
          kind: 'literal',
          value:
            readString(`"${token.text.slice(1, -1).replaceAll('"', '\\"')}"`, this.#line).codePointAt(0) ?? 0,
        };
      case 'number':
        return { kind: 'literal', value: Number(token.text) };
      case 'variable':
        return { kind: 'variable', name: token.text };
      case 'fields':
        return { kind: 'field', base: undefined, path: token.text.slice(1).split('.') };
      case 'mark':
        return { kind: 'dot' };
      case 'word':
        if (token.text === 'nil') return { kind: 'literal', value: null };
        if (token.text === 'true' || token.text === 'false')
          return { kind: 'literal', value: token.text === 'true' };
        return { kind: 'function', name: token.text };
    }
  }

  #take(mark: string): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== 'mark' || token.text !== mark) return false;
    this.#at++;
    return true;
  }

  #fail(message: string): never {
    throw new GoTemplateError(message, this.#line);
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** The text of a quoted or raw string literal of Go. */
function readString(literal: string, line: number): string {
  if (literal.startsWith('`')) return literal.slice(1, -1);
  return literal
    .slice(1, -1)
    .replace(
      /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-7]{3})|(.))/gs,
      (whole, u, long, x, octal, char) => {
        const digits = (u ?? long ?? x) as string | undefined;
        const point =
          digits === undefined
            ? Number.parseInt((octal as string | undefined) ?? '', 8)
            : Number.parseInt(digits, 16);
        if (!Number.isNaN(point) && point <= 0x10ffff) return String.fromCodePoint(point);
        const plain = Object.hasOwn(ESCAPES, char as string) ? ESCAPES[char as string] : undefined;
        if (plain === undefined) throw new GoTemplateError(`unknown escape ${String(whole)}`, line);
        return plain;
      },
    );
}
