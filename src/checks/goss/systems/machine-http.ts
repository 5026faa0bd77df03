import type { ExecResult } from '../../../core/machine.ts';
import { valueText } from '../go-text.ts';
import { type GossResource, optionFlag, optionText, optionTimeout } from '../resource.ts';
import { FactError } from '../system.ts';
import { type GoValue, isList, Reader } from '../values.ts';
import { whole } from './whole.ts';

/** Runs a command in the machine. */
type Run = (argv: readonly string[], timeoutMs: number) => Promise<ExecResult>;

/** A page that a machine gets from itself: by curl where it has that, with which goss's options are kept, else by bash. */
export async function httpOf(
  resource: GossResource,
  url: string,
  attribute: string,
  run: Run,
): Promise<GoValue> {
  const timeout = optionTimeout(resource, 5000);
  const option = (name: string, flag: string): string[] => {
    const value = optionText(resource, name);
    return value === undefined || value === '' ? [] : [flag, value];
  };
  const { method, body, headers } = requestOf(resource);
  const user = optionText(resource, 'username') ?? '';
  const password = optionText(resource, 'password') ?? '';
  const argv = [
    'curl',
    '--silent',
    '--show-error',
    '--include',
    '--globoff',
    '--max-time',
    String(timeout / 1000),
    '--noproxy',
    '*',
    ...(optionFlag(resource, 'no-follow-redirects') ? [] : ['--location', '--max-redirs', '10']),
    ...(optionFlag(resource, 'allow-insecure') ? ['--insecure'] : []),
    // With --request HEAD, curl would wait for a body.
    ...(method === 'HEAD' ? ['--head'] : method === 'GET' && body === '' ? [] : ['--request', method]),
    ...(body === '' ? [] : ['--data-raw', body]),
    ...option('ca-file', '--cacert'),
    ...option('cert-file', '--cert'),
    ...option('key-file', '--key'),
    ...(user !== '' || password !== '' ? ['--user', `${user}:${password}`] : []),
    ...headers.flatMap((header) => ['--header', header]),
    '--',
    url,
  ];
  const { exitCode, stdout, stderr } = await run(argv, timeout + 5000);
  if (exitCode === 127) return httpFact(await plainHttp(resource, url, timeout, run), attribute);
  if (exitCode !== 0) throw new FactError(stderr.trim() || `curl ended with ${exitCode}`);
  return httpFact(whole(stdout), attribute);
}

/** What goss would send: GET unless it is told, its own name, and no type of a body that nobody gave one. */
function requestOf(resource: GossResource): { method: string; body: string; headers: readonly string[] } {
  const given = resource.attributes.get('request-headers') ?? null;
  const own = isList(given) ? given.map(valueText) : [];
  const lacks = (name: string): boolean => !own.some((header) => header.toLowerCase().startsWith(`${name}:`));
  const body = optionText(resource, 'request-body') ?? '';
  return {
    method: optionText(resource, 'method') || 'GET',
    body,
    headers: [
      ...own,
      ...(lacks('user-agent') ? ['User-Agent: goss/0.4.9'] : []),
      // A header without a value is left out by curl.
      ...(body !== '' && lacks('content-type') ? ['Content-Type:'] : []),
    ],
  };
}

/** A request by bash alone, for images without curl: HTTP/1.0 has neither chunks nor connections that stay. */
async function plainHttp(resource: GossResource, url: string, timeoutMs: number, run: Run): Promise<string> {
  const { protocol, hostname, port, pathname, search, host } = new URL(url);
  if (protocol !== 'http:') throw new FactError(`${protocol} is checked with curl, which the image lacks`);
  const { method, body, headers } = requestOf(resource);
  const user = optionText(resource, 'username') ?? '';
  const secret = Buffer.from(`${user}:${optionText(resource, 'password') ?? ''}`).toString('base64');
  const lines = [
    `${method} ${pathname}${search} HTTP/1.0`,
    ...(headers.some((header) => /^host:/i.test(header)) ? [] : [`Host: ${host}`]),
    ...(user === '' ? [] : [`Authorization: Basic ${secret}`]),
    ...headers.filter((header) => !header.endsWith(':')),
    ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  const script = 'exec 3<>"/dev/tcp/$1/$2" && printf %s "$3" >&3 && cat <&3';
  const request = `${lines.join('\r\n')}\r\n\r\n${body}`;
  const place = hostname.replace(/^\[|\]$/g, '');
  const argv = ['bash', '-c', script, 'bash', place, port || '80', request];
  const { exitCode, stdout, stderr } = await run(argv, timeoutMs);
  if (exitCode === 127) throw new FactError('the image has neither curl nor bash to ask for a page');
  if (exitCode !== 0) throw new FactError(`Get "${url}": ${stderr.trim()}`);
  if (/^HTTP\/\S+ 30[12378]/.test(stdout) && !optionFlag(resource, 'no-follow-redirects'))
    throw new FactError(
      'the answer leads elsewhere, and redirects are followed with curl, which the image lacks',
    );
  return whole(stdout);
}

/** Status, headers or body of the last answer in what `curl --include --location` printed. */
export function httpFact(answer: string, attribute: string): GoValue {
  let rest = answer;
  for (;;) {
    const end = /\r?\n\r?\n/.exec(rest);
    const head = end ? rest.slice(0, end.index) : rest;
    const body = end ? rest.slice(end.index + end[0].length) : '';
    const [status = '', ...headers] = head.split(/\r?\n/);
    const code = /^HTTP\/[0-9.]+ ([0-9]{3})/.exec(status)?.[1];
    if (code === undefined) throw new FactError('malformed HTTP response');
    const isInterim = code.startsWith('1') || (/^3\d\d$/.test(code) && /^HTTP\/[0-9.]+ [0-9]{3}/.test(body));
    if (isInterim) {
      rest = body;
      continue;
    }
    if (attribute === 'status') return BigInt(code);
    if (attribute === 'body') return Reader.of(body, '*http.body');
    // How the body came is no header to Go.
    const told = headers.map(canonicalHeader).filter((header) => !header.startsWith('Transfer-Encoding: '));
    return Reader.of(told.sort().join('\n'), '*strings.Reader');
  }
}

/** `content-type: x` as `Content-Type: x`, as Go names headers. */
function canonicalHeader(line: string): string {
  const at = line.indexOf(':');
  const name = line
    .slice(0, at)
    .replace(/(^|-)([a-z])/g, (_, dash: string, c: string) => dash + c.toUpperCase());
  return `${name}: ${line.slice(at + 1).trim()}`;
}
