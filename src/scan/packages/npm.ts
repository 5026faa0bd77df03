import { licenceExpression } from './licences.ts';
import { type ImagePackage, type PackageHash, packageUrl } from './package.ts';

/** `…/node_modules/name/package.json` and `…/node_modules/@scope/name/package.json`: an installed package's own file. */
export function isNpmManifest(path: string): boolean {
  return /\/node_modules\/(?:@[^/]+\/)?[^/@][^/]*\/package\.json$/.test(path);
}

/** An installed npm package from its package.json. Undefined where it is none: no name or no version. */
export function npmPackage(text: string, path: string, hash: PackageHash): ImagePackage | undefined {
  const json = JSON.parse(text) as Record<string, unknown> | null;
  if (typeof json !== 'object' || json === null) return undefined;
  const { name: full, version } = json;
  if (typeof full !== 'string' || typeof version !== 'string' || full === '' || version === '')
    return undefined;
  const [, scope, name] = /^(?:(@[^/]+)\/)?(.+)$/s.exec(full) ?? [];
  if (name === undefined) return undefined;
  const licence = licenceExpression(licenceOf(json));
  const homepage = json.homepage;
  return {
    type: 'npm',
    ...(scope !== undefined && { namespace: scope }),
    name,
    version,
    ...(licence !== undefined && { licence }),
    ...(typeof homepage === 'string' && { homepage }),
    path,
    hashes: [hash],
    purl: packageUrl({ type: 'npm', ...(scope !== undefined && { namespace: scope }), name, version }),
  };
}

/** `license: "MIT"`, and the older `license: {type}` and `licenses: [{type}]`. */
function licenceOf({ license, licenses }: Record<string, unknown>): string {
  const named = (value: unknown): string => {
    const text = typeof value === 'object' ? (value as { type?: unknown } | null)?.type : value;
    return typeof text === 'string' ? text : '';
  };
  if (Array.isArray(licenses)) return licenses.map(named).filter(Boolean).join(' OR ');
  return license === undefined || license === null ? '' : named(license);
}
