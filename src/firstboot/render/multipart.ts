import { hexOf, sha256 } from '../../core/digest.ts';
import type { Part } from './part.ts';

/** Longest line that mail allows (RFC 5322, 2.1.1). */
const LONGEST_LINE = 998;
/** Longest line of base64 in mail (RFC 2045, 6.8). */
const BASE64_LINE = 76;

/**
 * Parts as cloud-init takes them: none as an empty #cloud-config, one as it is, several as a MIME message (RFC 2046, 5.1.3; cloud-init docs, "MIME
 * multi-part archive"). Equal parts give equal bytes: the boundary follows from them.
 */
export function joinParts(parts: readonly Part[]): Buffer {
  const [first] = parts;
  if (!first) return Buffer.from('#cloud-config\n');
  if (parts.length === 1) return Buffer.from(first.text);
  // Where the files lie is no part of it.
  const said = parts.map(({ name, type, text }) => [fileName(name), type, text]);
  const boundary = `ingot-${hexOf(sha256(JSON.stringify(said))).slice(0, 32)}`;
  const lines = [`Content-Type: multipart/mixed; boundary="${boundary}"`, 'MIME-Version: 1.0', ''];
  for (const part of parts) lines.push(`--${boundary}`, ...headed(part), '');
  return Buffer.from(`${[...lines, `--${boundary}--`].join('\n')}\n`);
}

/** A part's headers and body. What is not plain ASCII in short lines travels as base64: mail may change it. */
function headed({ name, type, text }: Part): string[] {
  // eslint-disable-next-line no-control-regex
  const isPlain = /^[\n\t\x20-\x7e]*$/.test(text) && text.split('\n').every((l) => l.length <= LONGEST_LINE);
  const body = isPlain ? text : inLines(Buffer.from(text).toString('base64'));
  return [
    `Content-Type: ${type}; charset="${isPlain ? 'us-ascii' : 'utf-8'}"`,
    'MIME-Version: 1.0',
    `Content-Transfer-Encoding: ${isPlain ? '7bit' : 'base64'}`,
    `Content-Disposition: attachment; filename="${fileName(name)}"`,
    '',
    body,
  ];
}

function inLines(base64: string): string {
  return base64.replace(new RegExp(`.{${BASE64_LINE}}(?=.)`, 'g'), '$&\n');
}

/** cloud-init stores scripts under this name. */
function fileName(name: string): string {
  return (name.split('/').at(-1) ?? name).replace(/[^A-Za-z0-9._-]/g, '_');
}
