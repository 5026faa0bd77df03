import type { Diagnostic } from '../../core/diagnostic.ts';
import type { YamlText } from './read-yaml.ts';
import { hasReference, isHarmless, isSecretName } from './secret-names.ts';

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
    const name = path.join('.');
    found.push(
      hasReference(text)
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
    else if (isSecretName(key) && isText(inner) && !isHarmless(String(inner))) tell(here, String(inner));
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
      typeof line === 'string' && line.includes(':') && !isHarmless(line.slice(line.indexOf(':') + 1).trim()),
  );
  if (typeof bad === 'string') tell(path, bad);
}

/** A value that has a secret's name and is no reference. */
export interface SecretValue {
  readonly path: string;
  readonly text: string;
}

/** The secrets among the values for templates. */
export function secretsAmong(values: unknown): SecretValue[] {
  const found: SecretValue[] = [];
  visit(values, [], (path, text) => {
    if (!hasReference(text)) found.push({ path: path.join('.'), text });
  });
  return found;
}

/** Shorter texts are found everywhere. */
const SHORTEST = 4;

/** Refuses such values that got into what is rendered. */
export function valuesThatAreSecret(values: unknown, texts: readonly string[]): Diagnostic[] {
  return secretsAmong(values)
    .filter(({ text }) => text.length >= SHORTEST && texts.some((t) => t.includes(text)))
    .map(({ path }) => secretValue(path));
}

/** The finding for a value that is a secret by its name. */
export function secretValue(path: string): Diagnostic {
  return {
    code: 'render/secret',
    severity: 'error',
    message: `the value ${path} is a secret by its name, and stands in what is rendered`,
    hint: 'Give a reference in its place, ref+vault://…#/key, which first_boot reads on the machine.',
  };
}
