// What is needed before anybody is asked, without what asking takes.

export type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLES = ['http_proxy', 'https_proxy'] as const;

/** Whether any proxy is set at all. */
export function hasProxy(environment: Environment): boolean {
  return VARIABLES.some((name) => valueOf(environment, name) !== '');
}

/** The variables as they are, for a program of others that asks servers for us. */
export function proxyVariables(environment: Environment): Record<string, string> {
  const names = [...VARIABLES, 'no_proxy'].flatMap((name) => [name, name.toUpperCase()]);
  const set = names.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(set) as Record<string, string>;
}

/** Texts of the proxies' addresses that must not be shown. */
export function proxySecrets(environment: Environment): string[] {
  return VARIABLES.flatMap((name) => {
    const text = valueOf(environment, name);
    if (text === '') return [];
    const written = /^(?:[^/]*\/\/)?[^/]*?:([^/]*)@/.exec(text)?.[1];
    if (written === undefined) return [];
    const address = withScheme(text);
    return [written, decoded(written), ...(URL.canParse(address) ? [encodedLogin(new URL(address))] : [])];
  });
}

/** Of a variable, lower case before upper; empty where it is not set. */
export function valueOf(environment: Environment, name: string): string {
  return (environment[name] ?? environment[name.toUpperCase()] ?? '').trim();
}

/** `HOST:PORT` is one of HTTP. */
export const withScheme = (text: string): string => (text.includes('://') ? text : `http://${text}`);

/** RFC 7617, section 2. */
export function encodedLogin({ username, password }: URL): string {
  return Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64');
}

/** Percent signs that begin no code stand for themselves. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
