import { IngotError } from '../../core/error.ts';
import { digestOf } from '../../core/digest.ts';
import type { Judged } from './gate.ts';

/** What a VEX statement says of a vulnerability in some products. */
export interface VexStatement {
  readonly id: string;
  readonly status: 'not_affected' | 'affected' | 'fixed' | 'under_investigation';
  /** Package URLs; empty: every product. */
  readonly products: readonly string[];
  readonly why: string;
  readonly file: string;
}

const STATUSES = ['not_affected', 'affected', 'fixed', 'under_investigation'];
const CONTEXT = 'https://openvex.dev/ns/v0.2.0';

/** Reads an OpenVEX document (github.com/openvex/spec, 0.2.0). Throws `scan/bad-vex`. */
export function parseOpenVex(text: string, file: string): VexStatement[] {
  const bad = (what: string): IngotError =>
    new IngotError('scan/bad-vex', `${file} is no OpenVEX document: ${what}`, {
      hint: 'Write one with `vexctl`, or see openvex.dev for its form.',
    });
  let json: { '@context'?: unknown; statements?: unknown };
  try {
    json = JSON.parse(text) as typeof json;
  } catch (error) {
    throw bad((error as Error).message);
  }
  if (
    typeof json !== 'object' ||
    json === null ||
    !String(json['@context']).startsWith('https://openvex.dev/ns')
  )
    throw bad('its @context is not that of OpenVEX');
  if (!Array.isArray(json.statements)) throw bad('it has no statements');
  return json.statements.map((statement: Record<string, unknown>, i) => {
    const {
      vulnerability,
      status,
      justification,
      impact_statement: impact,
      action_statement: action,
    } = statement ?? {};
    const id = typeof vulnerability === 'string' ? vulnerability : nameOf(vulnerability);
    if (id === undefined) throw bad(`statement ${i + 1} names no vulnerability`);
    if (!STATUSES.includes(String(status)))
      throw bad(
        `statement ${i + 1} has the status ${JSON.stringify(status)}; expected one of ${STATUSES.join(', ')}`,
      );
    const why = [justification, impact, action].filter((w) => typeof w === 'string' && w !== '').join(': ');
    if (status === 'not_affected' && why === '')
      throw bad(`statement ${i + 1} says not_affected without a justification or impact_statement`);
    return {
      id,
      status: status as VexStatement['status'],
      products: productsOf(statement.products),
      why,
      file,
    };
  });
}

function nameOf(vulnerability: unknown): string | undefined {
  const { name } = (vulnerability ?? {}) as { name?: unknown };
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** The products and their parts, by id or package URL. */
function productsOf(products: unknown): string[] {
  if (!Array.isArray(products)) return [];
  return products.flatMap((product: unknown): string[] => {
    if (typeof product === 'string') return [product];
    const { '@id': id, identifiers, subcomponents } = (product ?? {}) as Record<string, unknown>;
    const purl = (identifiers as { purl?: unknown } | undefined)?.purl;
    const parts = productsOf(subcomponents);
    // With parts, the statement is about these parts of the product.
    return parts.length > 0
      ? parts
      : [purl, id].filter((p): p is string => typeof p === 'string').slice(0, 1);
  });
}

/** Whether a statement speaks of an installed package: all that its package URL says must hold of it. */
export function speaksOf(statement: VexStatement, id: string, purls: readonly string[]): boolean {
  if (statement.id !== id) return false;
  if (statement.products.length === 0) return true;
  return statement.products.some((product) => purls.some((purl) => covers(product, purl)));
}

/** `pkg:deb/debian/curl` covers every version; with a version only that; qualifiers that it names must be equal. */
function covers(general: string, purl: string): boolean {
  const [path = '', query = ''] = general.split('?');
  const [ownPath = '', ownQuery = ''] = purl.split('?');
  const version = path.lastIndexOf('@') > path.lastIndexOf('/');
  if (version ? path !== ownPath : path !== ownPath.slice(0, ownPath.lastIndexOf('@'))) return false;
  const own = new URLSearchParams(ownQuery);
  return [...new URLSearchParams(query)].every(([key, value]) => own.get(key) === value);
}

/** An OpenVEX document of everything that was found, deterministic but for `date`. */
export function toOpenVex(judged: readonly Judged[], product: string, date: Date): string {
  const timestamp = date.toISOString().replace(/\.\d+Z$/, 'Z');
  const statements = judged.map((found) => ({
    vulnerability: { name: found.id },
    products: [{ '@id': product, subcomponents: found.purls.map((purl) => ({ '@id': purl })) }],
    ...statusOf(found),
  }));
  const content = {
    author: 'Ingot',
    role: 'Image build',
    timestamp,
    version: 1,
    tooling: 'ingot',
    statements,
  };
  const id = `https://openvex.dev/docs/ingot/${digestOf(content).slice('sha256:'.length)}`;
  return `${JSON.stringify({ '@context': CONTEXT, '@id': id, ...content }, undefined, 2)}\n`;
}

function statusOf(found: Judged): Record<string, string> {
  const { verdict, state, why } = found;
  if (verdict === 'not-affected') {
    return { status: 'not_affected', impact_statement: why };
  }
  if (state === 'undetermined') return { status: 'under_investigation' };
  const action =
    verdict === 'ignored'
      ? `Accepted: ${why}`
      : state === 'fixable'
        ? `Update ${found.name} to ${found.fixed ?? 'the fixed version'}.`
        : 'No fix is available.';
  return { status: 'affected', action_statement: action };
}
