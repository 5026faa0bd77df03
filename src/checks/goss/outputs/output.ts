import type { ResultGroup } from '../evaluate.ts';
import { json, structured } from './json-formats.ts';
import { junit } from './junit.ts';
import { prometheus } from './prometheus.ts';
import { documentation, nagios, rspecish, silent, tap } from './text-formats.ts';

export const FORMAT_OPTIONS = ['exclude_raw', 'perfdata', 'pretty', 'sort', 'verbose'] as const;
export type FormatOption = (typeof FORMAT_OPTIONS)[number];

export interface OutputOptions {
  /** Results are always in order: `sort` changes nothing. */
  readonly options: readonly FormatOption[];
  readonly color: boolean;
  /** Milliseconds since 1970: when the report is written. */
  readonly now: number;
}

export interface Output {
  readonly text: string;
  /** Goss's: 0 passed, 1 failed, 2 failed for Nagios. `structured` and `prometheus` always answer 0. */
  readonly exitCode: number;
}

type Format = (groups: readonly ResultGroup[], options: OutputOptions) => Output;

/** goss's output formats by name. */
export const OUTPUTS = {
  documentation,
  json,
  junit,
  nagios,
  prometheus,
  rspecish,
  silent,
  structured,
  tap,
} as const satisfies Readonly<Record<string, Format>>;
export type OutputName = keyof typeof OUTPUTS;

export function isOutputName(name: string): name is OutputName {
  return Object.hasOwn(OUTPUTS, name);
}
