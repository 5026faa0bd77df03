import { allLicences, licenceExpression } from './licences.ts';
import { parseStanzas } from './stanzas.ts';

/**
 * The licences of a package from its debian/copyright, where that is machine-readable (copyright-format/1.0): those of
 * its `Files` paragraphs, all of which apply. Undefined for free text.
 */
export function licenceOfCopyright(text: string): string | undefined {
  if (!/^\s*format(-specification)?:.*(copyright-format|dep5|dep-5)/im.test(text.slice(0, 2048)))
    return undefined;
  const expressions: string[] = [];
  for (const stanza of parseStanzas(text, () => {})) {
    const synopsis = stanza.get('license')?.split('\n', 1)[0] ?? '';
    if (!stanza.has('files') && !stanza.has('format')) continue;
    const expression = licenceExpression(synopsis);
    if (expression !== undefined) expressions.push(expression);
  }
  return allLicences(expressions);
}
