import type { ResultGroup } from '../evaluate.ts';
import { humanize, totalsOf } from './humanize.ts';
import type { Output, OutputOptions } from './output.ts';

/** One suite named "goss" in JUnit's XML. */
export function junit(groups: readonly ResultGroup[], options: OutputOptions): Output {
  const words = {
    compact: true,
    includeRaw: !options.options.includes('exclude_raw'),
    color: false,
  };
  const { count, failed, skipped, duration } = totalsOf(groups);
  const cases = groups.flat().map((result) => {
    const seconds = ((result.end - result.start) / 1000).toFixed(3);
    const name = `${result.resourceType} ${escapeXml(result.resourceId)} ${result.property}`;
    const text = escapeXml(humanize(result, words));
    const open = `<testcase name="${name}" time="${seconds}">\n`;
    if (result.outcome === 'fail')
      return `${open}<system-err>${text}</system-err>\n<failure>${text}</failure>\n</testcase>\n`;
    const skip = result.outcome === 'skip' ? '<skipped/>' : '';
    return `${open}${skip}<system-out>${text}</system-out>\n</testcase>\n`;
  });
  const timestamp = new Date(options.now).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    text: `<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="goss" errors="0" tests="${count}" failures="${failed}" skipped="${skipped}" time="${duration}" timestamp="${timestamp}">
${cases.join('')}</testsuite>
`,
    exitCode: failed > 0 ? 1 : 0,
  };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
};

/** Go's xml.EscapeText: what XML can't hold becomes U+FFFD. */
function escapeXml(text: string): string {
  return Buffer.from(text)
    .toString()
    .replace(/["'&<>\t\n\r]/g, (c) => ENTITIES[c] as string)
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd');
}
