import { IngotError } from '../../core/error.ts';

/** A package as a bill of materials names it. */
export interface BomPackage {
  /** Of its package URL: `deb`, `npm`, … */
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly licence?: string;
}

interface SpdxPackage {
  readonly name?: unknown;
  readonly versionInfo?: unknown;
  readonly licenseDeclared?: unknown;
  readonly externalRefs?: readonly { readonly referenceLocator?: unknown }[];
}

interface Component {
  readonly group?: unknown;
  readonly name?: unknown;
  readonly version?: unknown;
  readonly purl?: unknown;
  readonly licenses?: readonly { readonly expression?: unknown }[];
}

/**
 * The packages of a bill that we wrote (SPDX 2.3 or CycloneDX 1.6, JSON), in its order: whatever has a package URL. Throws
 * `scan/bad-sbom`.
 */
export function readBom(text: string, file: string): BomPackage[] {
  try {
    const { packages, components } = JSON.parse(text) as { packages?: unknown; components?: unknown };
    if (Array.isArray(packages)) return packages.flatMap(fromSpdx);
    if (Array.isArray(components)) return components.flatMap(fromCycloneDx);
    throw new TypeError('it has neither packages nor components');
  } catch (error) {
    throw new IngotError('scan/bad-sbom', `${file} is no bill of materials: ${(error as Error).message}`, {
      hint: 'Expected SPDX 2.3 or CycloneDX 1.6 as JSON, as `ingot sbom` writes them.',
      cause: error,
    });
  }
}

function fromSpdx({ name, versionInfo, licenseDeclared, externalRefs = [] }: SpdxPackage): BomPackage[] {
  const purl = externalRefs.map((r) => r.referenceLocator).find((r) => typeOf(r) !== undefined);
  return named(purl, name, versionInfo, licenseDeclared === 'NOASSERTION' ? undefined : licenseDeclared);
}

function fromCycloneDx({ group, name, version, purl, licenses = [] }: Component): BomPackage[] {
  const full = typeof group === 'string' ? `${group}/${String(name)}` : name;
  return named(purl, full, version, licenses[0]?.expression);
}

function named(purl: unknown, name: unknown, version: unknown, licence: unknown): BomPackage[] {
  const type = typeOf(purl);
  if (type === undefined || typeof name !== 'string' || typeof version !== 'string') return [];
  return [{ type, name, version, ...(typeof licence === 'string' && { licence }) }];
}

function typeOf(purl: unknown): string | undefined {
  return typeof purl === 'string' ? /^pkg:([a-z][a-z0-9.+-]*)\//.exec(purl)?.[1] : undefined;
}
