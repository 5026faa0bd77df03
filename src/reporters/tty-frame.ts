import type { StepStatus } from '../core/event.ts';
import { formatBytes, formatSeconds } from './quantities.ts';
import type { Style } from './style.ts';
import { cut, displayWidth, pad } from './terminal-text.ts';

/** A step that is running, as the live view knows it. */
export interface RunningStep {
  readonly title: string;
  /** Milliseconds, by the reporter's clock. */
  readonly startedAt: number;
  /** Last line of output, cleaned. */
  readonly lastLine?: string;
  readonly progress?: {
    readonly done: number;
    readonly total?: number;
    readonly unit: 'bytes' | 'items';
    readonly what?: string;
  };
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const BAR_WIDTH = 24;

/** Columns of a title: times stand right of it, never further than a person's eye goes. */
function titleWidth(width: number): number {
  return Math.max(8, Math.min(56, width - 14));
}

/** A title and what is said about it at its right. */
function row(mark: string, title: string, right: string, width: number): string {
  return `  ${mark} ${pad(title, titleWidth(width))} ${right.padStart(8)}`;
}

/** One line for a step that has ended. */
export function endedLine(
  title: string,
  status: StepStatus,
  seconds: number,
  detail: string | undefined,
  style: Style,
  width: number,
): string {
  const time = formatSeconds(seconds).padStart(8);
  const left = width - titleWidth(width) - 16;
  const more = detail === undefined || left < 8 ? '' : `  ${style.dim(cut(detail, left))}`;
  switch (status) {
    case 'done':
      return row(style.green('✓'), title, time, width) + more;
    case 'cached':
      return `  ${style.green('✓')} ${pad(title, titleWidth(width))} ${style.cyan('  cached')}${more}`;
    case 'failed':
      return style.red(row('✗', title, time, width)) + more;
    case 'skipped':
    case 'cancelled':
      return style.dim(row('–', title, status.padStart(8), width)) + more;
  }
}

/** The live part of the screen: what runs, for how long, how far, and what it said last. */
export function renderFrame(
  running: readonly RunningStep[],
  now: number,
  style: Style,
  width: number,
): string[] {
  const lines: string[] = [];
  for (const step of running) {
    const elapsed = Math.max(0, now - step.startedAt);
    const spinner = SPINNER[Math.floor(elapsed / 100) % SPINNER.length] as string;
    lines.push(row(style.cyan(spinner), step.title, formatSeconds(elapsed / 1000), width));
    if (step.progress) lines.push(`    ${progressLine(step.progress, style, width - 4)}`);
    else if (step.lastLine !== undefined && step.lastLine !== '') {
      lines.push(`    ${style.dim(cut(step.lastLine, width - 5))}`);
    }
  }
  return lines;
}

function progressLine(progress: NonNullable<RunningStep['progress']>, style: Style, width: number): string {
  const { done, total, unit, what } = progress;
  const amount = (n: number): string => (unit === 'bytes' ? formatBytes(n) : String(n));
  if (total === undefined || total <= 0)
    return style.dim(cut(`${amount(done)} ${what ?? ''}`.trimEnd(), width));
  const part = Math.min(1, done / total);
  const filled = Math.round(part * BAR_WIDTH);
  const text =
    ` ${String(Math.floor(part * 100)).padStart(3)} %  ${amount(done)} of ${amount(total)} ${what ?? ''}`.trimEnd();
  if (width < BAR_WIDTH + displayWidth(text)) return style.dim(cut(text.trimStart(), width));
  return `${style.cyan('━'.repeat(filled))}${style.dim('─'.repeat(BAR_WIDTH - filled))}${style.dim(text)}`;
}
