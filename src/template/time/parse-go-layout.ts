import { MONTHS } from './civil.ts';

/** Parts of Go's reference time that are read, longer ones first, with what stands for them and what they set. */
const PARTS: readonly (readonly [part: string, pattern: string, sets: string])[] = [
  ['January', '[A-Za-z]+', 'month'],
  ['2006', '\\d{4}', 'year'],
  ['Z07:00', 'Z|[-+]\\d\\d:\\d\\d', 'zone'],
  ['-07:00', '[-+]\\d\\d:\\d\\d', 'zone'],
  ['-0700', '[-+]\\d{4}', 'zone'],
  ['MST', 'UTC|GMT', 'zone'],
  ['Jan', '[A-Za-z]{3}', 'month'],
  ['01', '\\d\\d', 'month'],
  ['02', '\\d\\d', 'day'],
  ['15', '\\d\\d', 'hour'],
  ['04', '\\d\\d', 'minute'],
  ['05', '\\d\\d(?:[.,]\\d+)?', 'second'],
  ['06', '\\d\\d', 'short'],
  ['1', '\\d\\d?', 'month'],
  ['2', '\\d\\d?', 'day'],
];

/** Milliseconds since 1970 of a time that is written by a layout of Go's package time; undefined: it is none. */
export function parseGoLayout(layout: string, written: string): number | undefined {
  const sets: string[] = [];
  let source = '';
  for (let at = 0; at < layout.length; ) {
    const found = PARTS.find(([part]) => layout.startsWith(part, at));
    if (found) {
      const [part, pattern, set] = found;
      source += `(${pattern})`;
      sets.push(set);
      at += part.length;
    } else source += (layout[at++] as string).replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
  }
  const match = new RegExp(`^${source}$`).exec(written);
  if (!match) return undefined;
  const values = new Map(sets.map((set, i) => [set, match[i + 1] as string]));
  return momentOf(values);
}

function momentOf(values: ReadonlyMap<string, string>): number | undefined {
  const number = (name: string, otherwise: number): number => Number(values.get(name) ?? otherwise);
  const short = values.get('short');
  const year = short === undefined ? number('year', 0) : Number(short) + (Number(short) < 69 ? 2000 : 1900);
  const month = monthOf(values.get('month') ?? '1');
  const [day, hour, minute] = [number('day', 1), number('hour', 0), number('minute', 0)];
  const second = Number((values.get('second') ?? '0').replace(',', '.'));
  if (month === undefined || day < 1 || hour > 23 || minute > 59 || second >= 60) return undefined;
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, day);
  // February 30 is no day.
  if (moment.getUTCDate() !== day || moment.getUTCMonth() !== month - 1) return undefined;
  return (
    moment.getTime() + ((hour * 60 + minute - zoneMinutes(values.get('zone') ?? 'Z')) * 60 + second) * 1000
  );
}

function monthOf(written: string): number | undefined {
  if (/^\d+$/.test(written))
    return Number(written) >= 1 && Number(written) <= 12 ? Number(written) : undefined;
  const index = MONTHS.findIndex((m) =>
    [m, m.slice(0, 3)].some((n) => n.toLowerCase() === written.toLowerCase()),
  );
  return index === -1 ? undefined : index + 1;
}

/** Minutes east of Greenwich. */
function zoneMinutes(zone: string): number {
  const [, sign, hours, minutes] = /^([-+])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  const east = Number(hours ?? 0) * 60 + Number(minutes ?? 0);
  return sign === '-' ? -east : east;
}
