import { parseDuration } from '../decode/formats.ts';
import {
  type Civil,
  civilAt,
  formatRfc3339,
  isoWeek,
  MONTHS,
  pad,
  parseRfc3339,
  twelve,
  WEEKDAYS,
  zoneText,
} from '../time/civil.ts';
import { formatGoLayout } from '../time/go-layout.ts';
import { strftime } from '../time/strftime.ts';
import { type Decimal, numberToFloat } from '../value/number.ts';
import { DYNAMIC, NUMBER, STRING } from '../value/type.ts';
import { number, object, string, type Value } from '../value/value.ts';
import { FunctionError, type FunctionSpec, param } from './function.ts';

const text = (value: Value | undefined): string => value?.data as string;

function parse(value: string, argument: number): { civil: Civil; milliseconds: number } {
  const parsed = parseRfc3339(value);
  if (parsed) return parsed;
  throw new FunctionError(
    `expected a timestamp of RFC 3339, such as 2024-01-31T12:00:00Z; got ${JSON.stringify(value)}`,
    argument,
  );
}

/** cty's formatdate: runs of one letter, text in single quotes, anything else as it is. */
function formatDate(format: string, c: Civil): string {
  return format.replace(/'((?:[^']|'')*)'|'|([A-Za-z])\2*/g, (part: string, quoted: string | undefined) => {
    if (quoted !== undefined) return quoted.replaceAll("''", "'");
    if (part === "'") throw new FunctionError('a quote is not closed', 0);
    const shown = formatRun(part, c);
    if (shown !== undefined) return shown;
    throw new FunctionError(`unknown sequence ${JSON.stringify(part)}; text is written in single quotes`, 0);
  });
}

function formatRun(part: string, c: Civil): string | undefined {
  const month = MONTHS[c.month - 1] as string;
  const weekday = WEEKDAYS[c.weekday] as string;
  const zone = zoneText(c.offset, ':');
  switch (part) {
    case 'YYYY':
      return pad(c.year, 4);
    case 'YY':
      return pad(c.year % 100);
    case 'MMMM':
      return month;
    case 'MMM':
      return month.slice(0, 3);
    case 'MM':
      return pad(c.month);
    case 'M':
      return String(c.month);
    case 'DD':
      return pad(c.day);
    case 'D':
      return String(c.day);
    case 'EEEE':
      return weekday;
    case 'EEE':
      return weekday.slice(0, 3);
    case 'hh':
      return pad(c.hour);
    case 'h':
      return String(c.hour);
    case 'HH':
      return pad(twelve(c.hour));
    case 'H':
      return String(twelve(c.hour));
    case 'AA':
      return c.hour >= 12 ? 'PM' : 'AM';
    case 'aa':
      return c.hour >= 12 ? 'pm' : 'am';
    case 'mm':
      return pad(c.minute);
    case 'm':
      return String(c.minute);
    case 'ss':
      return pad(c.second);
    case 's':
      return String(c.second);
    case 'ZZZZZ':
      return zone;
    case 'ZZZZ':
      return zone.replace(':', '');
    case 'ZZZ':
      return c.offset === 0 ? 'UTC' : zone.replace(':', '');
    case 'Z':
      return c.offset === 0 ? 'Z' : zone;
    default:
      return undefined;
  }
}

/** The parts of a moment by name. */
function parts(c: Civil, milliseconds: number): Map<string, Value> {
  const { year, week } = isoWeek(c);
  const numbers = {
    year: c.year,
    year_day: c.yearDay,
    day: c.day,
    month: c.month,
    weekday: c.weekday,
    hour: c.hour,
    minute: c.minute,
    second: c.second,
    unix: Math.floor(milliseconds / 1000),
    iso_year: year,
    iso_week: week,
  };
  const entries = new Map<string, Value>(Object.entries(numbers).map(([name, n]) => [name, number(n)]));
  entries.set('month_name', string(MONTHS[c.month - 1] as string));
  return entries.set('weekday_name', string(WEEKDAYS[c.weekday] as string));
}

function unixParts(seconds: number): Value {
  if (!Number.isInteger(seconds) || Math.abs(seconds) > 253_402_300_799)
    throw new FunctionError('expected whole seconds within the years 0 to 9999', 0);
  const c = civilAt(seconds * 1000);
  return object(parts(c, seconds * 1000).set('rfc3339', string(formatRfc3339(c))));
}

/** Functions of dates and times. `now` is one moment for the whole run. */
export function datetimeFunctions(now: Date): readonly FunctionSpec[] {
  const started = civilAt(now.getTime());
  return [
    {
      name: 'timestamp',
      parameters: [],
      returns: STRING,
      volatile: true,
      call: () => string(formatRfc3339(started)),
    },
    {
      name: 'legacy_isotime',
      parameters: [],
      rest: param('format', STRING),
      returns: STRING,
      volatile: true,
      call: (args) => {
        if (args.length > 1) throw new FunctionError(`it takes at most 1 argument, got ${args.length}`);
        return string(args[0] ? formatGoLayout(text(args[0]), started) : formatRfc3339(started));
      },
    },
    {
      name: 'legacy_strftime',
      parameters: [param('format', STRING)],
      returns: STRING,
      volatile: true,
      call: ([format]) => {
        const shown = strftime(text(format), started);
        if (shown === undefined) throw new FunctionError('the format has an unknown directive', 0);
        return string(shown);
      },
    },
    {
      name: 'formatdate',
      parameters: [param('format', STRING), param('time', STRING)],
      returns: STRING,
      call: ([format, time]) => string(formatDate(text(format), parse(text(time), 1).civil)),
    },
    {
      name: 'timeadd',
      parameters: [param('timestamp', STRING), param('duration', STRING)],
      returns: STRING,
      call: ([time, duration]) => {
        const { civil, milliseconds } = parse(text(time), 0);
        const more = parseDuration(text(duration));
        if (more === undefined)
          throw new FunctionError(
            `expected a duration such as "10m"; got ${JSON.stringify(text(duration))}`,
            1,
          );
        return string(formatRfc3339(civilAt(milliseconds + more, civil.offset)));
      },
    },
    {
      name: 'rfc3339_parse',
      parameters: [param('timestamp', STRING)],
      returns: DYNAMIC,
      call: ([time]) => {
        const { civil, milliseconds } = parse(text(time), 0);
        return object(parts(civil, milliseconds));
      },
    },
    {
      name: 'unix_timestamp_parse',
      parameters: [param('unix_timestamp', NUMBER)],
      returns: DYNAMIC,
      call: ([seconds]) => unixParts(numberToFloat(seconds?.data as Decimal)),
    },
  ];
}
