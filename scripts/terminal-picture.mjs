// Makes an SVG of what a terminal showed, for the README:
//   script -qec 'npm run demo' /dev/null | node scripts/terminal-picture.mjs 'npm run demo' > docs/assets/demo.svg
// Understands what our reporters write: colors, cursor moves, erasing (ECMA-48, 8.3).
import { text } from 'node:stream/consumers';

const FONT = 14;
const LINE = 20;
const CHARACTER = 8.43;
const MARGIN = 20;
const BAR = 36;
const palette = { 31: '#ff7b72', 32: '#7ee787', 33: '#e3b341', 36: '#79c0ff' };

const command = process.argv[2];
const shown =
  (command === undefined ? '' : `\u001b[2m$\u001b[22m ${command}\r\n`) + (await text(process.stdin));
process.stdout.write(svg(screen(shown)));

/** Lines of cells `{ character, color, bold, dim }`, as they stand at the end. */
function screen(input) {
  const lines = [[]];
  let row = 0;
  let column = 0;
  let style = {};
  // oxlint-disable-next-line no-control-regex -- escape sequences are what is read
  for (const [token] of input.matchAll(/\u001b\[[?\d;]*[A-Za-z]|\u001b.|[^\u001b]/gsu)) {
    if (token.startsWith('\u001b[')) control(token.slice(2));
    else if (token === '\n') {
      row += 1;
      column = 0;
      lines[row] ??= [];
    } else if (token === '\r') column = 0;
    else if (!token.startsWith('\u001b')) lines[row][column++] = { character: token, ...style };
  }
  while (lines.length > 0 && lines.at(-1).every((cell) => cell === undefined || cell.character === ' '))
    lines.pop();
  return lines;

  function control(sequence) {
    const numbers = sequence.slice(0, -1).split(';').map(Number);
    const amount = numbers[0] || 1;
    switch (sequence.at(-1)) {
      case 'A':
        row = Math.max(0, row - amount);
        break;
      case 'B':
        row += amount;
        lines[row] ??= [];
        break;
      case 'G':
        column = amount - 1;
        break;
      case 'K':
        lines[row].length = numbers[0] === 2 ? 0 : Math.min(column, lines[row].length);
        break;
      case 'J':
        lines[row].length = Math.min(column, lines[row].length);
        lines.length = row + 1;
        break;
      case 'm':
        for (const number of numbers) style = styled(style, number);
        break;
    }
  }
}

function styled(style, number) {
  if (number === 0) return {};
  if (number === 1) return { ...style, bold: true };
  if (number === 2) return { ...style, dim: true };
  if (number === 22) return { ...style, bold: false, dim: false };
  if (number === 39) return { ...style, color: undefined };
  return palette[number] ? { ...style, color: palette[number] } : style;
}

function svg(lines) {
  const columns = Math.max(60, ...lines.map((line) => line.length));
  const width = Math.ceil(columns * CHARACTER + 2 * MARGIN);
  const height = lines.length * LINE + BAR + 2 * MARGIN;
  const rows = lines.map((line, index) => {
    const y = BAR + MARGIN + index * LINE + FONT;
    return `<text x="${MARGIN}" y="${y}">${spans(line)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<rect width="100%" height="100%" rx="10" fill="#0d1117"/>
<circle cx="20" cy="18" r="6" fill="#ff5f56"/><circle cx="40" cy="18" r="6" fill="#ffbd2e"/><circle cx="60" cy="18" r="6" fill="#27c93f"/>
<g font-family="ui-monospace, 'DejaVu Sans Mono', monospace" font-size="${FONT}" fill="#e6edf3" xml:space="preserve">
${rows.join('\n')}
</g>
</svg>
`;
}

/** Neighbors of one style share a span. */
function spans(line) {
  const runs = [];
  for (const cell of Array.from(line, (cell) => cell ?? { character: ' ' })) {
    const look = [
      cell.color && `fill="${cell.color}"`,
      cell.bold && 'font-weight="bold"',
      cell.dim && 'fill-opacity="0.6"',
    ]
      .filter(Boolean)
      .join(' ');
    if (runs.at(-1)?.look === look) runs.at(-1).text += cell.character;
    else runs.push({ look, text: cell.character });
  }
  return runs
    .map(({ look, text: content }) => {
      const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
      return `<tspan${look ? ` ${look}` : ''}>${escaped}</tspan>`;
    })
    .join('');
}
