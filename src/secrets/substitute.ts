import { IngotError } from '../core/error.ts';

const NAME = '\\w+';
/** `$$`, `$NAME`, `${NAME}` and `${NAME<operator>rest}`, of which the rest has no braces. */
const VARIABLE = new RegExp(`\\$(?:(\\$)|(${NAME})|\\{(${NAME})(?:(:?[-=+?])([^{}]*))?\\})`, 'g');

/**
 * Puts variables in place as a shell does: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:=default}`,
 * `${NAME:+instead}`, `${NAME:?}`, and these without the colon, which asks for set instead of not empty
 * (POSIX.1-2017, shell command language, 2.6.2). Throws `secrets/not-found` where `?` asks for it.
 */
export function substitute(text: string, value: (name: string) => string | undefined): string {
  return text.replace(
    VARIABLE,
    (
      _whole,
      dollar: string | undefined,
      plain: string | undefined,
      braced: string | undefined,
      operator: string | undefined,
      rest = '',
    ) => {
      if (dollar !== undefined) return '$';
      const name = (plain ?? braced) as string;
      const found = value(name);
      const isThere = operator?.startsWith(':') ? found !== undefined && found !== '' : found !== undefined;
      switch (operator?.at(-1)) {
        case '-':
        case '=':
          return isThere ? (found as string) : rest;
        case '+':
          return isThere ? rest : '';
        case '?':
          if (isThere) return found as string;
          throw new IngotError('secrets/not-found', `the environment variable ${name} is not set`, {
            hint: rest === '' ? `Set ${name}.` : rest,
          });
        default:
          return found ?? '';
      }
    },
  );
}
