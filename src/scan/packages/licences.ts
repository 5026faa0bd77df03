/** SPDX ids (spdx.org/licenses) that packages of distributions and languages mostly name, by their lower-case form. */
const KNOWN = new Map(
  `0BSD AFL-2.1 AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-1.0 Artistic-1.0-Perl Artistic-2.0
  BSD-1-Clause BSD-2-Clause BSD-3-Clause BSD-4-Clause BSL-1.0 BlueOak-1.0.0 bzip2-1.0.6 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0
  CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 CDDL-1.1 CPL-1.0 curl EPL-1.0 EPL-2.0 EUPL-1.2 FSFAP FSFUL FSFULLR FTL
  GFDL-1.1-only GFDL-1.1-or-later GFDL-1.2-only GFDL-1.2-or-later GFDL-1.3-only GFDL-1.3-or-later
  GPL-1.0-only GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND ICU IJG ISC
  LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later Libpng MIT MIT-0
  MIT-CMU MPL-1.1 MPL-2.0 NCSA NTP OFL-1.1 OLDAP-2.8 OpenSSL PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 Ruby Sleepycat
  TCL Unicode-DFS-2016 Unlicense UPL-1.0 Vim W3C WTFPL X11 Zlib zlib-acknowledgement ZPL-2.1`
    .split(/\s+/)
    .map((id) => [id.toLowerCase(), id]),
);

/** Names of the copyright format (copyright-format/1.0, "License specification") and of common use. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['expat', 'MIT'],
  ['mit/x11', 'MIT'],
  ['mit license', 'MIT'],
  ['the mit license', 'MIT'],
  ['bsd-2', 'BSD-2-Clause'],
  ['bsd-3', 'BSD-3-Clause'],
  ['bsd-4', 'BSD-4-Clause'],
  ['apache', 'Apache-2.0'],
  ['apache 2.0', 'Apache-2.0'],
  ['apache license 2.0', 'Apache-2.0'],
  ['apache license, version 2.0', 'Apache-2.0'],
  ['apache software license 2.0', 'Apache-2.0'],
  ['asl 2.0', 'Apache-2.0'],
  ['boost-1.0', 'BSL-1.0'],
  ['artistic', 'Artistic-1.0-Perl'],
  ['perl', 'Artistic-1.0-Perl OR GPL-1.0-or-later'],
  ['bsd 3-clause', 'BSD-3-Clause'],
  ['bsd 3-clause license', 'BSD-3-Clause'],
  ['bsd 2-clause license', 'BSD-2-Clause'],
  ['cc0', 'CC0-1.0'],
  ['psf', 'PSF-2.0'],
  ['psfl', 'PSF-2.0'],
  ['unlicense', 'Unlicense'],
]);

/** `GPL-2+`, `LGPLv2.1+`, `GFDL-1.3` */
const GNU = /^(a?gpl|lgpl|gfdl)-?v?(\d)(?:\.(\d))?(\+|-or-later|-only)?$/i;

/** One licence's name as an SPDX id; what SPDX does not know becomes a `LicenseRef-`. */
export function licenceId(name: string): string {
  const trimmed = name.trim();
  const lower = trimmed.toLowerCase();
  const known = KNOWN.get(lower) ?? ALIASES.get(lower) ?? gnuId(trimmed);
  if (known !== undefined) return known;
  if (/^LicenseRef-[A-Za-z0-9.-]+$/.test(trimmed)) return trimmed;
  // Long ones are texts, not names: the file has them.
  const slug = trimmed
    .slice(0, 64)
    .replace(/[^A-Za-z0-9.]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return `LicenseRef-${slug === '' ? 'unnamed' : slug}`;
}

function gnuId(name: string): string | undefined {
  const match = GNU.exec(name);
  if (!match) return undefined;
  const [, family = '', major, minor = '0', later] = match;
  const id = `${family.toUpperCase()}-${major}.${minor}-${later === '+' || later === '-or-later' ? 'or-later' : 'only'}`;
  return KNOWN.get(id.toLowerCase());
}

/**
 * An expression from the words that a package uses: `GPL-2+ or Artistic`, `MIT AND (Apache-2.0 OR ISC)`. What does not
 * read as an expression is one name.
 */
export function licenceExpression(text: string): string | undefined {
  const words = text.trim();
  if (words === '') return undefined;
  const parts = words
    .replace(/,\s*(and|or)\b/gi, ' $1')
    .replaceAll(',', ' and ')
    .split(/(\(|\)|\s+(?:and\/or|and|or)\s+)/i)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  let depth = 0;
  let operand = true;
  const out: string[] = [];
  for (const part of parts) {
    const lower = part.toLowerCase();
    const isOperator = /^(and|or|and\/or)$/.test(lower);
    if (operand === (isOperator || part === ')')) return licenceId(words);
    if (part === '(') depth++;
    else if (part === ')') depth--;
    else operand = isOperator;
    if (depth < 0) return licenceId(words);
    if (isOperator) out.push(lower === 'and' ? 'AND' : 'OR');
    else if (part === '(' || part === ')') out.push(part);
    else out.push(licenceTerm(part));
  }
  if (depth !== 0 || operand) return licenceId(words);
  return out.join(' ').replaceAll('( ', '(').replaceAll(' )', ')');
}

/** All of several expressions, each once. */
export function allLicences(expressions: readonly string[]): string | undefined {
  const each = [...new Set(expressions)].sort();
  if (each.length === 0) return undefined;
  return each.length === 1 ? each[0] : each.map((e) => (/ OR /.test(e) ? `(${e})` : e)).join(' AND ');
}

/** `LicenseRef-` names in an expression, sorted. */
export function licenceRefs(expression: string): string[] {
  return [...new Set(expression.match(/LicenseRef-[A-Za-z0-9.-]+/g) ?? [])].sort();
}

/** A licence with an exception has a name of its own: SPDX's list of exceptions does not cover what is written. */
function licenceTerm(text: string): string {
  const id = licenceId(text);
  return / OR /.test(id) ? `(${id})` : id;
}
