import type { BootOutcome } from './boot-once.ts';
import { consoleTail } from './reason.ts';
import { type BootCase, type BootCaseResult, judgeGrowth, judgeReport } from './result.ts';
import type { BootTestOptions } from './spec.ts';

const CONSOLE_LINES = 40;

/** What a disk was before it booted; in bytes. */
export interface BootedDisk {
  /** Of the image's root filesystem. */
  readonly rootBytes: number;
  /** What the disk had beyond the image. */
  readonly added: number;
}

/** Whether a boot passed, and everything that was wrong with it. */
export function judgeBoot(
  boot: BootCase,
  outcome: BootOutcome,
  { rootBytes, added }: BootedDisk,
  o: Pick<BootTestOptions, 'allow_failed' | 'expect_growth'>,
): BootCaseResult {
  if ('failure' in outcome) {
    const { reason, hint } = outcome.failure;
    const console = consoleTail(outcome.console, CONSOLE_LINES);
    return { ...boot, status: 'failed', message: reason, hint, findings: [reason], console };
  }
  const { report, seconds } = outcome;
  const findings = judgeReport(report, boot.seed, o.allow_failed);
  // Metadata takes some of the room; what counts is that most of it arrived.
  const grown = report.sizes && report.sizes.filesystem > rootBytes + added / 2;
  if (o.expect_growth && !grown) findings.push(judgeGrowth(report, rootBytes, added));
  const failed = findings.length > 0;
  return {
    ...boot,
    status: failed ? 'failed' : 'passed',
    ...(failed && { message: findings.join('; ') }),
    findings,
    bootSeconds: seconds,
    stages: [{ name: 'firmware', seconds: Math.max(0, outcome.firmwareSeconds) }, ...report.stages],
    report,
    ...(grown !== undefined && { grown }),
    console: failed ? [...report.failedLogs, ...consoleTail(outcome.console, CONSOLE_LINES)] : [],
  };
}
