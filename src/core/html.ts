import { createHash } from 'node:crypto';

/** Markup. Only this file makes some of text as it is: whoever else does must put it into `html`. */
class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}
export type { Html };

/** What may stand in a template: text is escaped, lists are joined, `undefined` and `false` are nothing. */
export type HtmlPart = string | number | Html | undefined | false | readonly HtmlPart[];

/** Markup with everything that is put into it escaped, in content and in quoted attributes alike. */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(strings.reduce((text, next, i) => text + markupOf(parts[i - 1]) + next));
}

function markupOf(part: HtmlPart): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.markup;
  return typeof part === 'object' ? part.map(markupOf).join('') : escape(String(part));
}

/** Characters of markup as references; those that HTML forbids, or that turn the direction of text, as U+FFFD. */
function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
    .replace(
      /[^\P{Cc}\t\n\r]|[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]|\p{Surrogate}/gu,
      '\ufffd',
    );
}

/** Colors and type of every page, light and dark; a page's own style goes on from there. */
const BASE = `:root{color-scheme:light dark;
--page:light-dark(#fbfaf8,#131518);--card:light-dark(#fff,#1a1d21);--ink:light-dark(#1c2024,#e4e7ea);
--soft:light-dark(#5b636d,#9aa3ad);--line:light-dark(#e3e1dc,#2c3137);--link:light-dark(#0b5a9d,#7cbcf5);
--good:light-dark(#136c3e,#63d297);--bad:light-dark(#b02318,#ff938a);--warn:light-dark(#805300,#f0be5c);
--good-wash:light-dark(#eaf5ee,#15261d);--bad-wash:light-dark(#fcedeb,#2f1917);--warn-wash:light-dark(#fbf3e0,#2a2212)}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:anywhere}
main{max-width:68rem;margin:0 auto;padding:2rem 1.5rem 4rem}
h1,h2,h3,p,ul,dl,dd,figure{margin:0}a{color:var(--link)}
code,.mono{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.87em}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .75rem .35rem 0;border-top:1px solid var(--line);text-align:left;vertical-align:baseline}
thead th{border-top:0;color:var(--soft);font-weight:500;font-size:.8rem}
@media print{:root{color-scheme:light}main{max-width:none;padding:0}}
`;

export interface Page {
  readonly title: string;
  readonly body: Html;
  /** Added to what every page has. */
  readonly style?: string;
  /** Runs at the end of the page. */
  readonly script?: string;
}

/**
 * One HTML document that needs nothing else. Its policy (Content Security Policy, level 2) allows this style and this
 * script by their digests: no address is asked, and what stands in the data is never executed.
 */
export function htmlPage({ title, body, style = '', script }: Page): string {
  const css = BASE + style;
  const policy = [
    "default-src 'none'",
    `style-src ${digestSource(css)}`,
    ...(script === undefined ? [] : [`script-src ${digestSource(script)}`]),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(css)}</style>
</head>
<body>
${body}
${script !== undefined && html`<script>${new Html(script)}</script>`}
</body>
</html>
`.markup;
}

function digestSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
