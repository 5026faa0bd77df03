import { licenceExpression } from './licences.ts';
import { type ImagePackage, type PackageHash, packageUrl } from './package.ts';

/** Metadata of an installed distribution: `*.dist-info/METADATA` (PEP 376, 427), `*.egg-info/PKG-INFO`, `*.egg-info`. */
export function isPythonMetadata(path: string): boolean {
  return /\.dist-info\/METADATA$|\.egg-info(\/PKG-INFO)?$|\.egg\/EGG-INFO\/PKG-INFO$/.test(path);
}

/** A Python distribution from its core metadata (packaging.python.org, "Core metadata"). Undefined without name or version. */
export function pythonPackage(text: string, path: string, hash: PackageHash): ImagePackage | undefined {
  const headers = headersOf(text);
  const one = (name: string): string | undefined => headers.find(([key]) => key === name)?.[1];
  const written = one('name');
  const version = one('version');
  if (!written || !version) return undefined;
  // PEP 503: names are equal but for case and kind of separator.
  const name = written.toLowerCase().replace(/[-_.]+/g, '-');
  const licence = licenceOf(headers);
  const homepage = one('home-page');
  return {
    type: 'pypi',
    name,
    version,
    ...(licence !== undefined && { licence }),
    ...(homepage !== undefined && homepage !== 'UNKNOWN' && { homepage }),
    path,
    hashes: [hash],
    purl: packageUrl({ type: 'pypi', name, version }),
  };
}

type Header = readonly [name: string, value: string];

/** Headers of the metadata's first part; the description follows behind a blank line. */
function headersOf(text: string): Header[] {
  const head = text.replaceAll('\r\n', '\n').split('\n\n', 1)[0] as string;
  return head
    .replace(/\n[ \t]+/g, ' ')
    .split('\n')
    .flatMap((line): Header[] => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]];
    });
}

/** The expression where there is one (PEP 639), else a short License field, else the classifiers. */
function licenceOf(headers: readonly Header[]): string | undefined {
  const all = (name: string): string[] => headers.filter(([key]) => key === name).map(([, value]) => value);
  const [expression] = all('license-expression');
  if (expression) return licenceExpression(expression);
  const [named = ''] = all('license');
  if (named !== '' && named !== 'UNKNOWN' && named.length <= 80) return licenceExpression(named);
  const classified = all('classifier').flatMap((c) => /^License :: OSI Approved :: (.+)$/.exec(c)?.[1] ?? []);
  return licenceExpression(classified.map((c) => CLASSIFIERS.get(c) ?? c).join(' OR '));
}

/** Classifiers that name one licence exactly (pypi.org/classifiers). */
const CLASSIFIERS: ReadonlyMap<string, string> = new Map([
  ['MIT License', 'MIT'],
  ['Apache Software License', 'Apache-2.0'],
  ['ISC License (ISCL)', 'ISC'],
  ['Mozilla Public License 2.0 (MPL 2.0)', 'MPL-2.0'],
  ['GNU General Public License v2 (GPLv2)', 'GPL-2.0-only'],
  ['GNU General Public License v2 or later (GPLv2+)', 'GPL-2.0-or-later'],
  ['GNU General Public License v3 (GPLv3)', 'GPL-3.0-only'],
  ['GNU General Public License v3 or later (GPLv3+)', 'GPL-3.0-or-later'],
  ['Python Software Foundation License', 'PSF-2.0'],
  ['The Unlicense (Unlicense)', 'Unlicense'],
]);
