import type { Diagnostic } from '../../core/diagnostic.ts';
import { scan } from '../../secrets/scan.ts';
import type { YamlText } from './read-yaml.ts';

/** Names of keys whose values are secrets, wherever they stand: cloud-init's own, and what people call theirs. */
const SECRET =
  /(?:^|[-_.])(?:passwd|password|passphrase|secret|token|api[-_]?key|private[-_]?key|registration_key|activation[-_]key|validation_key|secret_key|access_key|token_key|consumer_key)$|^(?:rsa|dsa|ecdsa|ed25519)_private$|^private-cert$/i;
/** What locks an account, or lets cloud-init make up a password on the machine; and the path of a file that is there. */
const NO_SECRET = /^(?:|[!*x]+|R|RANDOM|\/(?:[\w.-]+\/)+[\w.-]+)$/;
const SHORTEST_NUMBER = 6;
/** `chpasswd: { list: … }` of cloud-init's documentation, module "Set Passwords". */
const CHPASSWD_LIST = ['chpasswd', 'list'];

/**
 * Refuses secrets that a document holds under the keys that are made for them. Who may read an instance's user-data is
 * everybody on the instance, and in the provider's account. Findings are `render/secret`; no value appears in them.
 */
export function findSecretFields(yaml: YamlText): Diagnostic[] {
  const found: Diagnostic[] = [];
  visit(yaml.value, [], (path, text) => {
    const pieces = scan(text);
    const isReference = pieces.some((piece) => typeof piece !== 'string');
    const name = path.join('.');
    found.push(
      isReference
        ? {
            code: 'render/unread-reference',
            severity: 'error',
            message: `${name} is a reference, which cloud-init does not read: it would take the text itself`,
            range: yaml.rangeOf(path),
            hint: 'Put the reference into a template of first_boot, which reads it on the machine.',
          }
        : {
            code: 'render/secret',
            severity: 'error',
            message: `${yaml.name}:${yaml.rangeOf(path).start.line}: ${name} holds a secret's value; user-data can be read by all on the instance`,
            hint: 'Keep it in a secret store and put ref+vault://…#/key into a template of first_boot; lock accounts with lock_passwd: true, and log in by SSH key.',
          },
    );
  });
  return found;
}

type Tell = (path: readonly (string | number)[], text: string) => void;

function visit(value: unknown, path: readonly (string | number)[], tell: Tell): void {
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) visit(item, [...path, i], tell);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const here = [...path, key];
    if (here.join('.') === CHPASSWD_LIST.join('.')) passwordLines(inner, here, tell);
    else if (SECRET.test(key) && isText(inner) && !NO_SECRET.test(String(inner))) tell(here, String(inner));
    else visit(inner, here, tell);
  }
}

/** A password of digits alone is a number to YAML; a short number is a setting. */
function isText(value: unknown): boolean {
  return typeof value === 'string' || (typeof value === 'number' && String(value).length >= SHORTEST_NUMBER);
}

/** `user:password` a line, as one text or a list. */
function passwordLines(value: unknown, path: readonly (string | number)[], tell: Tell): void {
  const lines = typeof value === 'string' ? value.split('\n') : Array.isArray(value) ? value : [];
  const bad = lines.find(
    (line) =>
      typeof line === 'string' &&
      line.includes(':') &&
      !NO_SECRET.test(line.slice(line.indexOf(':') + 1).trim()),
  );
  if (typeof bad === 'string') tell(path, bad);
}

/** Shorter texts are found everywhere. */
const SHORTEST = 4;

/** Refuses values that have a secret's name, are no reference, and got into what is rendered. */
export function valuesThatAreSecret(values: unknown, texts: readonly string[]): Diagnostic[] {
  const found: Diagnostic[] = [];
  visit(values, [], (path, text) => {
    const isReference = scan(text).some((piece) => typeof piece !== 'string');
    if (isReference || text.length < SHORTEST || !texts.some((t) => t.includes(text))) return;
    found.push({
      code: 'render/secret',
      severity: 'error',
      message: `the value ${path.join('.')} is a secret by its name, and stands in what is rendered`,
      hint: 'Give a reference in its place, ref+vault://…#/key, which first_boot reads on the machine.',
    });
  });
  return found;
}
