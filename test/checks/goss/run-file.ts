import { evaluate } from '../../../src/checks/goss/evaluate.ts';
import { loadGossFile, type LoadOptions } from '../../../src/checks/goss/load.ts';
import {
  type FormatOption,
  type Output,
  type OutputName,
  OUTPUTS,
} from '../../../src/checks/goss/outputs/output.ts';
import type { System } from '../../../src/checks/goss/system.ts';
import { frozenClock } from '../../../src/core/clock.ts';
import { noSystem } from './no-system.ts';

/** Loads, evaluates and prints a goss file as the command line does. */
export async function runFile(
  file: string,
  format: OutputName,
  o: {
    readonly options?: readonly FormatOption[];
    readonly system?: System;
    readonly load?: Partial<LoadOptions>;
  } = {},
): Promise<Output> {
  const { resources } = loadGossFile(file, { vars: {}, env: {}, ...o.load });
  const groups = await evaluate(resources, o.system ?? noSystem, { clock: frozenClock(0) });
  return OUTPUTS[format](groups, { options: o.options ?? ['sort', 'pretty'], color: false, now: 0 });
}

/** Removes what differs from run to run, as the conformance cases ask. */
export function comparable(text: string): string {
  return text
    .replace(/\d+\.\d\d\d?s/g, '')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd();
}
