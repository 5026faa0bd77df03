/** A moment as clocks in one zone show it. */
export interface Civil {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** 1 to 366. */
  readonly yearDay: number;
  /** Minutes east of Greenwich. */
  readonly offset: number;
}

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const DAY_MS = 86_400_000;

/** What clocks `offset` minutes east of Greenwich show at `milliseconds` since 1970. */
export function civilAt(
  milliseconds: number,
  offset = 0,
  nanosecond = (((milliseconds % 1000) + 1000) % 1000) * 1e6,
): Civil {
  const shown = new Date(milliseconds + offset * 60_000);
  const year = shown.getUTCFullYear();
  const yearStart = new Date(0);
  yearStart.setUTCFullYear(year, 0, 1);
  return {
    year,
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
    second: shown.getUTCSeconds(),
    nanosecond,
    weekday: shown.getUTCDay(),
    yearDay: Math.floor((shown.getTime() - yearStart.getTime()) / DAY_MS) + 1,
    offset,
  };
}

/** Year and number of the week by ISO 8601: it starts on Monday, and week 1 holds the year's first Thursday. */
export function isoWeek({ year, month, day, weekday }: Civil): { year: number; week: number } {
  const thursday = new Date(0);
  thursday.setUTCFullYear(year, month - 1, day + 4 - (weekday === 0 ? 7 : weekday));
  const first = new Date(0);
  first.setUTCFullYear(thursday.getUTCFullYear(), 0, 1);
  return {
    year: thursday.getUTCFullYear(),
    week: Math.floor((thursday.getTime() - first.getTime()) / DAY_MS / 7) + 1,
  };
}

/** Digits of at least `width`. */
export function pad(value: number, width = 2, fill = '0'): string {
  return String(value).padStart(width, fill);
}

/** `+0530`, `+05:30`. */
export function zoneText(offset: number, separator: string): string {
  const minutes = Math.abs(offset);
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}${separator}${pad(minutes % 60)}`;
}

/** Hour on a twelve-hour clock. */
export function twelve(hour: number): number {
  return hour % 12 === 0 ? 12 : hour % 12;
}

const RFC3339 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9})[0-9]*)?(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))$/;

/** Reads a timestamp of RFC 3339, its zone kept; undefined where it is none. */
export function parseRfc3339(text: string): { civil: Civil; milliseconds: number } | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offset =
    match[9] === undefined ? 0 : (match[9] === '-' ? -1 : 1) * (Number(match[10]) * 60 + Number(match[11]));
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  local.setUTCHours(hour, minute, second);
  const same = local.getUTCMonth() + 1 === month && local.getUTCDate() === day;
  if (
    !same ||
    hour > 23 ||
    minute > 59 ||
    second > 59 ||
    Number(match[10] ?? 0) > 23 ||
    Number(match[11] ?? 0) > 59
  )
    return undefined;
  const nanosecond = Number((match[7] ?? '').padEnd(9, '0'));
  const milliseconds = local.getTime() - offset * 60_000 + Math.floor(nanosecond / 1e6);
  return { civil: civilAt(milliseconds, offset, nanosecond), milliseconds };
}

/** As Go's time.RFC3339 writes it: whole seconds, `Z` for Greenwich. */
export function formatRfc3339(c: Civil): string {
  const zone = c.offset === 0 ? 'Z' : zoneText(c.offset, ':');
  return `${pad(c.year, 4)}-${pad(c.month)}-${pad(c.day)}T${pad(c.hour)}:${pad(c.minute)}:${pad(c.second)}${zone}`;
}
