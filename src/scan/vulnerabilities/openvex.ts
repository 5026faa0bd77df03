import { IngotError } from '../../core/error.ts';
import { digestOf } from '../../core/digest.ts';
import type { Judged } from './gate.ts';

/** What a VEX statement says of a vulnerability in some products. */
export interface VexStatement {
  readonly id: string;
  readonly status: 'not_affected' | 'affected' | 'fixed' | 'under_investigation';
  /** Package URLs; absent: every product. */
  readonly products?: readonly string[];
  /** When it was made, milliseconds since 1970; 0 where nothing says so. */
  readonly time: number;
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
  let json: { '@context'?: unknown; timestamp?: unknown; last_updated?: unknown; statements?: unknown };
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
  const made = timeOf(json) ?? 0;
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
      ...(statement.products !== undefined && { products: productsOf(statement.products) }),
      time: timeOf(statement) ?? made,
      why,
      file,
    };
  });
}

/** A statement without a time of its own has its document's (OpenVEX, "Inheritance"). */
function timeOf({ timestamp, last_updated: updated }: Readonly<Record<string, unknown>>): number | undefined {
  const times = [updated, timestamp].map((text) =>
    typeof text === 'string' ? Date.parse(text) : Number.NaN,
  );
  return times.find((time) => !Number.isNaN(time));
}

function nameOf(vulnerability: unknown): string | undefined {
  const { name } = (vulnerability ?? {}) as { name?: unknown };
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** The products and their parts, by id or package URL; what is named by neither is none of ours. */
function productsOf(products: unknown): string[] {
  if (!Array.isArray(products)) return [];
  return products.flatMap((product: unknown): string[] => {
    if (typeof product === 'string') return [product];
    const { '@id': id, identifiers, subcomponents } = (product ?? {}) as Record<string, unknown>;
    const purl = (identifiers as { purl?: unknown } | undefined)?.purl;
    // With parts, the statement is about these parts of the product.
    if (Array.isArray(subcomponents) && subcomponents.length > 0) return productsOf(subcomponents);
    return [purl, id].filter((p): p is string => typeof p === 'string').slice(0, 1);
  });
}

/**
 * The statement by which a vulnerability does not count: of each installed package, the newest that speaks of it must say so
 * (OpenVEX: a statement overrides those before it). Undefined: it counts.
 */
export function excuseOf(
  statements: readonly VexStatement[],
  id: string,
  purls: readonly string[],
): VexStatement | undefined {
  const own = statements.filter((s) => s.id === id).toSorted((a, b) => a.time - b.time);
  // A package that nothing names is spoken of by what speaks of all.
  const last = (purls.length > 0 ? purls : ['']).map((purl) =>
    own.findLast(({ products }) => products === undefined || products.some((p) => covers(p, purl))),
  );
  const excused = last.every((s) => s?.status === 'not_affected' || s?.status === 'fixed');
  return excused ? last[0] : undefined;
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
