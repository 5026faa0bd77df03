import { type Civil, MONTHS, pad, twelve, WEEKDAYS, zoneText } from './civil.ts';

/** Parts of Go's reference time, Mon Jan 2 15:04:05 MST 2006, longer ones first. */
const PARTS =
  /January|Monday|2006|__2|-07:00:00|-070000|-07:00|-0700|Z07:00:00|Z070000|Z07:00|Z0700|MST|Jan(?![a-z])|Mon(?![a-z])|002|15|01|02|03|04|05|06|-07|Z07|PM|pm|_2(?!006)|[,.]0+(?![0-9])|[,.]9+(?![0-9])|1|2|3|4|5/g;

/** A moment by a layout of Go's package time: the reference time, written as the moment shall be. */
export function formatGoLayout(layout: string, c: Civil): string {
  return layout.replace(PARTS, (part) => formatPart(part, c));
}

function formatPart(part: string, c: Civil): string {
  const month = MONTHS[c.month - 1] as string;
  const weekday = WEEKDAYS[c.weekday] as string;
  switch (part) {
    case 'January':
      return month;
    case 'Jan':
      return month.slice(0, 3);
    case '1':
      return String(c.month);
    case '01':
      return pad(c.month);
    case 'Monday':
      return weekday;
    case 'Mon':
      return weekday.slice(0, 3);
    case '2':
      return String(c.day);
    case '_2':
      return pad(c.day, 2, ' ');
    case '02':
      return pad(c.day);
    case '__2':
      return pad(c.yearDay, 3, ' ');
    case '002':
      return pad(c.yearDay, 3);
    case '15':
      return pad(c.hour);
    case '3':
      return String(twelve(c.hour));
    case '03':
      return pad(twelve(c.hour));
    case '4':
      return String(c.minute);
    case '04':
      return pad(c.minute);
    case '5':
      return String(c.second);
    case '05':
      return pad(c.second);
    case '2006':
      return pad(c.year, 4);
    case '06':
      return pad(c.year % 100);
    case 'PM':
      return c.hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return c.hour >= 12 ? 'pm' : 'am';
    case 'MST':
      return c.offset === 0 ? 'UTC' : zoneText(c.offset, '');
    default:
      return part[0] === '.' || part[0] === ',' ? fraction(part, c) : zone(part, c);
  }
}

/** `.000`: that many digits; `.999`: without noughts at the end. */
function fraction(part: string, c: Civil): string {
  const digits = pad(c.nanosecond, 9).slice(0, part.length - 1);
  if (part[1] === '0') return part[0] + digits.padEnd(part.length - 1, '0');
  const short = digits.replace(/0+$/, '');
  return short === '' ? '' : part[0] + short;
}

/** `-07:00`, or `Z07:00` with Z for Greenwich; zones have no seconds. */
function zone(part: string, c: Civil): string {
  if (part.startsWith('Z') && c.offset === 0) return 'Z';
  const text = zoneText(c.offset, part.includes(':') ? ':' : '');
  if (part.length === 3) return text.slice(0, 3);
  return part.length > 6 ? `${text}${part.includes(':') ? ':' : ''}00` : text;
}
