import { type Civil, isoWeek, MONTHS, pad, twelve, WEEKDAYS, zoneText } from './civil.ts';

/** A moment by a format of strftime(3), in the C locale; undefined where the format has an unknown directive. */
export function strftime(format: string, c: Civil): string | undefined {
  let unknown = false;
  const text = format.replace(/%(.|$)/gs, (_, directive: string) => {
    const part = formatDirective(directive, c);
    if (part === undefined) unknown = true;
    return part ?? '';
  });
  return unknown ? undefined : text;
}

function formatDirective(directive: string, c: Civil): string | undefined {
  const month = MONTHS[c.month - 1] as string;
  const weekday = WEEKDAYS[c.weekday] as string;
  const time = `${pad(c.hour)}:${pad(c.minute)}:${pad(c.second)}`;
  const date = `${pad(c.month)}/${pad(c.day)}/${pad(c.year % 100)}`;
  switch (directive) {
    case 'A':
      return weekday;
    case 'a':
      return weekday.slice(0, 3);
    case 'B':
      return month;
    case 'b':
    case 'h':
      return month.slice(0, 3);
    case 'C':
      return pad(Math.floor(c.year / 100));
    case 'c':
      return `${weekday.slice(0, 3)} ${month.slice(0, 3)} ${pad(c.day, 2, ' ')} ${time} ${c.year}`;
    case 'D':
    case 'x':
      return date;
    case 'd':
      return pad(c.day);
    case 'e':
      return pad(c.day, 2, ' ');
    case 'F':
      return `${pad(c.year, 4)}-${pad(c.month)}-${pad(c.day)}`;
    case 'H':
      return pad(c.hour);
    case 'I':
      return pad(twelve(c.hour));
    case 'j':
      return pad(c.yearDay, 3);
    case 'k':
      return pad(c.hour, 2, ' ');
    case 'l':
      return pad(twelve(c.hour), 2, ' ');
    case 'M':
      return pad(c.minute);
    case 'm':
      return pad(c.month);
    case 'n':
      return '\n';
    case 'p':
      return c.hour >= 12 ? 'PM' : 'AM';
    case 'R':
      return time.slice(0, 5);
    case 'r':
      return `${pad(twelve(c.hour))}:${time.slice(3)} ${c.hour >= 12 ? 'PM' : 'AM'}`;
    case 'S':
      return pad(c.second);
    case 'T':
    case 'X':
      return time;
    case 't':
      return '\t';
    case 'U':
      return pad(Math.floor((c.yearDay + 6 - c.weekday) / 7));
    case 'u':
      return String(c.weekday === 0 ? 7 : c.weekday);
    case 'V':
      return pad(isoWeek(c).week);
    case 'v':
      return `${pad(c.day, 2, ' ')}-${month.slice(0, 3)}-${c.year}`;
    case 'W':
      return pad(Math.floor((c.yearDay + 6 - ((c.weekday + 6) % 7)) / 7));
    case 'w':
      return String(c.weekday);
    case 'Y':
      return pad(c.year, 4);
    case 'y':
      return pad(c.year % 100);
    case 'Z':
      return c.offset === 0 ? 'UTC' : zoneText(c.offset, '');
    case 'z':
      return zoneText(c.offset, '');
    case '%':
      return '%';
    default:
      return undefined;
  }
}
