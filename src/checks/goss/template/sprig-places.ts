import type { GoFunction } from '../../../template/gotemplate/execute.ts';
import { parseDuration } from '../../../template/decode/formats.ts';
import { parseGoLayout } from '../../../template/time/parse-go-layout.ts';
import { integer, map, refuse, text } from './arguments.ts';

/** Seconds of a duration of Go: `-1h30m`; undefined: it is none. */
function secondsOf(duration: string): number | undefined {
  const milliseconds = parseDuration(duration);
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}

/** Seconds as Go prints a time.Duration. */
function durationText(seconds: number): string {
  if (seconds === 0) return '0s';
  const whole = Math.abs(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const hours = h > 0 ? `${h}h` : '';
  const minutes = h > 0 || m > 0 ? `${m}m` : '';
  return `${seconds < 0 ? '-' : ''}${hours}${minutes}${s}s`;
}

const LARGER = [
  [31_536_000, 'y'],
  [2_592_000, 'mo'],
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
  [1, 's'],
] as const;

/** A duration in its largest unit alone: `2h` of `2h10m`. */
function rounded(value: unknown): string {
  const seconds = Math.abs(
    typeof value === 'number' ? Date.now() / 1000 - value : (secondsOf(text(value)) ?? 0),
  );
  const [size, unit] = LARGER.find(([least]) => seconds >= least) ?? [1, 's'];
  return `${Math.floor(seconds / size)}${unit}`;
}

function modified(change: unknown, moment: unknown, must: boolean): unknown {
  const seconds = secondsOf(text(change));
  if (seconds === undefined) return must ? refuse(`invalid duration ${text(change)}`) : moment;
  return integer(moment) + seconds;
}

/** Seconds since 1970; of what does not fit the layout, sprig makes the year 1. */
function toDate(layout: unknown, written: unknown, must: boolean): number {
  const milliseconds = parseGoLayout(text(layout), text(written));
  if (milliseconds !== undefined) return milliseconds / 1000;
  return must ? refuse(`${text(written)} is no time of the layout ${text(layout)}`) : -62_135_596_800;
}

function urlParse(value: unknown): Map<string, string> {
  let url: URL;
  try {
    url = new URL(text(value));
  } catch {
    return refuse(`unable to parse url: ${text(value)}`);
  }
  const { protocol, username, password, host, hostname, pathname, search, hash } = url;
  const isOpaque = !text(value).includes('//');
  return new Map([
    ['scheme', protocol.slice(0, -1)],
    ['userinfo', password === '' ? username : `${username}:${password}`],
    ['host', host],
    ['hostname', hostname],
    ['path', isOpaque || !/^[^:]+:\/\/[^/?#]*\//.test(text(value)) ? '' : decodeURIComponent(pathname)],
    ['opaque', isOpaque ? pathname : ''],
    ['query', search.slice(1)],
    ['fragment', hash.slice(1)],
  ]);
}

function urlJoin(value: unknown): string {
  const parts = map(value);
  const part = (name: string, before: string, after = ''): string => {
    const found = parts.get(name);
    return typeof found === 'string' && found !== '' ? `${before}${found}${after}` : '';
  };
  const authority = `${part('userinfo', '', '@')}${part('host', '')}`;
  const place = part('opaque', '') || `${authority === '' ? '' : `//${authority}`}${part('path', '')}`;
  return `${part('scheme', '', ':')}${place}${part('query', '?')}${part('fragment', '#')}`;
}

/** sprig's functions on moments, durations and addresses. Times are told in UTC. */
export const placeFunctions: ReadonlyMap<string, GoFunction> = new Map<string, GoFunction>([
  ['toDate', (layout, written) => toDate(layout, written, false)],
  ['mustToDate', (layout, written) => toDate(layout, written, true)],
  ['dateModify', (change, moment) => modified(change, moment, false)],
  ['date_modify', (change, moment) => modified(change, moment, false)],
  ['mustDateModify', (change, moment) => modified(change, moment, true)],
  ['must_date_modify', (change, moment) => modified(change, moment, true)],
  ['ago', (moment) => durationText(Math.round(Date.now() / 1000 - integer(moment)))],
  ['duration', (seconds) => durationText(integer(typeof seconds === 'string' ? seconds : 0))],
  ['durationRound', rounded],
  ['urlParse', urlParse],
  ['urlJoin', urlJoin],
]);
