import { createLogUpdate } from 'log-update';
import type { BuildEvent } from '../core/event.ts';
import { renderDiagnostics } from '../core/render-diagnostic.ts';
import { imageOf } from './image-of.ts';
import { formatSeconds } from './quantities.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { type Style, styles } from './style.ts';
import { cleanLine, cut } from './terminal-text.ts';
import { endedLine, type RunningStep, renderFrame } from './tty-frame.ts';
import { waitText } from './wait-text.ts';

/** Lines of output shown below a step that failed. */
const TAIL = 20;
/** Milliseconds between frames. */
const FRAME = 100;

/** A live view: ended steps scroll up as one line each, running ones stay at the bottom with time and progress. */
export function ttyReporter(options: ReporterOptions): Reporter {
  return new TtyReporter(options);
}

class TtyReporter implements Reporter {
  readonly #options: ReporterOptions;
  readonly #style: Style;
  readonly #now: () => number;
  readonly #live: ReturnType<typeof createLogUpdate>;
  readonly #running = new Map<string, RunningStep>();
  readonly #tails = new Map<string, string[]>();
  /** Lines about the checks of a running step; shown below it when it has ended. */
  readonly #checks = new Map<string, string[]>();
  readonly #images = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #suspended = false;
  /** What other builds did while the user was asked. */
  readonly #held: string[] = [];

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#style = styles(options.color);
    this.#now = options.now ?? Date.now;
    this.#live = createLogUpdate(options.stream as unknown as NodeJS.WritableStream);
  }

  get #width(): number {
    return this.#options.width ?? this.#options.stream.columns ?? 80;
  }

  handle(event: BuildEvent): void {
    const style = this.#style;
    switch (event.type) {
      case 'build:start':
        this.#images.add(event.image);
        this.#tell(`${style.bold(event.image)} ${event.version}`);
        break;
      case 'build:wait':
        this.#images.add(event.image);
        this.#tell(`${style.bold(event.image)} ${style.dim(waitText(event))}`);
        break;
      case 'step:start':
        this.#running.set(event.step, {
          title: this.#title(event.step, event.title),
          startedAt: this.#now(),
        });
        this.#draw();
        break;
      case 'step:log':
        this.#log(event.step, cleanLine(event.line));
        break;
      case 'step:progress': {
        const step = this.#running.get(event.step);
        if (step) this.#running.set(event.step, { ...step, progress: event });
        break;
      }
      case 'step:end':
        this.#end(event);
        break;
      case 'check:result':
        if (event.cached) break;
        this.#checks.set(event.step, [...(this.#checks.get(event.step) ?? []), this.#checkLine(event)]);
        break;
      case 'build:end':
        if (this.#images.size > 1) {
          this.#tell(`${style.bold(event.image)} ${event.status} ${style.dim(formatSeconds(event.seconds))}`);
        }
        break;
      case 'diagnostic':
        this.#print(
          renderDiagnostics([event.diagnostic], this.#options.sources ?? new Map(), {
            color: this.#options.color,
            width: this.#width,
            ...(this.#options.shownAs && { shownAs: this.#options.shownAs }),
          }).trimEnd(),
        );
        break;
      case 'message':
        this.#print(event.level === 'warning' ? style.yellow(`warning: ${event.text}`) : event.text);
        break;
      case 'artifact':
      case 'build:artifact':
      case 'release':
        // The summary at the end tells of these.
        break;
    }
  }

  suspend(): () => void {
    this.#suspended = true;
    this.#stop();
    return () => {
      this.#suspended = false;
      for (const text of this.#held.splice(0)) this.#print(text);
      this.#draw();
    };
  }

  async close(): Promise<void> {
    this.#running.clear();
    this.#draw();
    this.#live.done();
  }

  /** Titles name their image where several are built at once. */
  #title(step: string, title: string): string {
    return this.#images.size > 1 ? `${imageOf(step)}: ${title}` : title;
  }

  #checkLine({ name, status, message, seconds }: Extract<BuildEvent, { type: 'check:result' }>): string {
    const { green, red, dim } = this.#style;
    const mark = { passed: green('✓'), failed: red('✗'), skipped: dim('–') }[status];
    const time = seconds === undefined ? '' : ` ${dim(formatSeconds(seconds))}`;
    const why = message === undefined ? '' : `: ${cleanLine(message)}`;
    return `    ${mark} ${cut(`${name}${why}`, this.#width - 16)}${time}`;
  }

  #log(label: string, line: string): void {
    const tail = this.#tails.get(label) ?? [];
    tail.push(line);
    if (tail.length > TAIL) tail.shift();
    this.#tails.set(label, tail);
    const step = this.#running.get(label);
    if (step && line.trim() !== '') this.#running.set(label, { ...step, lastLine: line.trim() });
  }

  #end({ step: label, status, seconds, detail }: Extract<BuildEvent, { type: 'step:end' }>): void {
    // What never began because something before it failed is no news.
    if (status === 'skipped' && !this.#running.has(label)) return;
    const title =
      this.#running.get(label)?.title ?? this.#title(label, label.slice(imageOf(label).length + 1));
    this.#running.delete(label);
    const lines = [endedLine(title, status, seconds, detail, this.#style, this.#width)];
    lines.push(...(this.#checks.get(label) ?? []));
    this.#checks.delete(label);
    if (status === 'failed') {
      for (const line of this.#tails.get(label) ?? []) lines.push(`    ${this.#style.dim('│')} ${line}`);
    }
    this.#tails.delete(label);
    this.#tell(lines.join('\n'));
  }

  /** What a build did; told when the user has answered. */
  #tell(text: string): void {
    if (this.#suspended) this.#held.push(text);
    else this.#print(text);
  }

  /** Text that stays, above the live part. */
  #print(text: string): void {
    this.#live.clear();
    this.#options.stream.write(`${text}\n`);
    this.#draw();
  }

  /** Draws the live part now, and again with every tick for as long as something runs. */
  #draw(): void {
    if (this.#running.size === 0 || this.#suspended) return this.#stop();
    const lines = renderFrame([...this.#running.values()], this.#now(), this.#style, this.#width);
    this.#live(lines.join('\n'));
    this.#timer ??= setInterval(() => this.#draw(), FRAME).unref();
  }

  #stop(): void {
    this.#live.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
