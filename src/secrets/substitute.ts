import { IngotError } from '../core/error.ts';

/** The value of a variable; undefined where it is not set. */
type Lookup = (name: string) => string | undefined;

/** `$$`, `$NAME`, `${` or the `}` that ends the rest of an operator. */
const MARK = /\$(?:(\$)|([\p{L}\p{N}_]+)|(\{))|\}/gu;
const NAME_AND_OPERATOR = /([\p{L}\p{N}_]+)(?:(:?[-=+?])|(?=\}))/uy;
/** Deeper than anybody writes. */
const MOST_NESTED = 10;

/**
 * Puts variables in place as a shell does: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:=default}`,
 * `${NAME:+instead}`, `${NAME:?}`, and these without the colon, which asks for set instead of not empty
 * (POSIX.1-2017, shell command language, 2.6.2); what follows an operator may have variables of its own. Throws
 * `secrets/not-found` where `?` asks for it, and `secrets/bad-reference` for any other operator or a brace that stays open.
 */
export function substitute(text: string, value: Lookup): string {
  return read(text, 0, value, 0).text;
}

/** Reads up to the end of the text or, inside braces (`depth` > 0), to the brace that closes them. */
function read(text: string, from: number, value: Lookup, depth: number): { text: string; end: number } {
  if (depth > MOST_NESTED) {
    throw new IngotError('secrets/too-deep', `more than ${MOST_NESTED} \${…} stand inside each other`, {
      hint: 'Put the value together in a variable before.',
    });
  }
  let result = '';
  let at = from;
  for (;;) {
    MARK.lastIndex = at;
    const mark = MARK.exec(text);
    if (!mark) break;
    const [whole, dollar, name, brace] = mark;
    result += text.slice(at, mark.index);
    at = mark.index + whole.length;
    if (whole === '}') {
      if (depth > 0) return { text: result, end: at };
      result += whole;
    } else if (dollar !== undefined) result += dollar;
    else if (name !== undefined) result += value(name) ?? '';
    else if (brace !== undefined) {
      const inner = readBraces(text, at, value, depth);
      result += inner.text;
      at = inner.end;
    }
  }
  if (depth > 0) throw badVariable(text, 'its brace is not closed');
  return { text: result + text.slice(at), end: text.length };
}

/** What stands behind `${`. */
function readBraces(text: string, from: number, value: Lookup, depth: number): { text: string; end: number } {
  NAME_AND_OPERATOR.lastIndex = from;
  const [whole, name = '', operator] = NAME_AND_OPERATOR.exec(text) ?? [];
  if (whole === undefined) throw badVariable(text, 'expected a name, and }, -, =, + or ? behind it');
  const found = value(name);
  const isThere = operator?.startsWith(':') ? found !== undefined && found !== '' : found !== undefined;
  const isUsed = operator !== undefined && isThere === operator.endsWith('+');
  // A rest that is not used asks for no variable.
  const rest = read(text, from + whole.length, isUsed ? value : () => 'x', depth + 1);
  if (isUsed && operator.endsWith('?')) {
    throw new IngotError('secrets/not-found', `the environment variable ${name} is not set`, {
      hint: rest.text === '' ? `Set ${name}.` : rest.text,
    });
  }
  const kept = operator?.endsWith('+') ? '' : (found ?? '');
  return { text: isUsed ? rest.text : kept, end: rest.end };
}

function badVariable(text: string, problem: string): IngotError {
  return new IngotError(
    'secrets/bad-reference',
    `a variable in ${JSON.stringify(text)} can't be read: ${problem}`,
    {
      hint: 'Write $NAME, ${NAME} or ${NAME:-default}; $$ is a dollar.',
    },
  );
}
