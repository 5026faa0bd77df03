import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Sources } from '../core/diagnostic.ts';
import type { BuildEvent, Emit } from '../core/event.ts';
import type { RenderOptions } from '../core/render-diagnostic.ts';
import {
  createReporter,
  type OutputStream,
  type Reporter,
  type ReporterKind,
} from '../reporters/reporter.ts';
import { wantsColor } from '../reporters/style.ts';
import type { GlobalFlags } from './arguments.ts';
import type { ProgramName } from './program-name.ts';
import { onInterrupt } from './interrupt.ts';
import { lineFile } from './report-file.ts';

/** What the command line runs in: `process`, or a test's stand-in for it. */
export interface Surroundings {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly stdin: NodeJS.ReadStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What use cases get from us; the shape of `Deps` in app/session.ts. */
export interface UseCaseDeps {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly addSources: (sources: Sources) => void;
}

export interface ReportingOptions {
  /** Standard output is for one JSON document. */
  readonly json?: boolean | undefined;
  /** What happens is the answer, so it is told on standard output; otherwise on standard error. */
  readonly onStdout?: boolean;
  /** Lines only: the terminal belongs to somebody else, such as a console. */
  readonly lines?: boolean | undefined;
  readonly timestamps?: boolean | undefined;
  /** Also writes every check's result there, as JUnit XML. */
  readonly junit?: { write(text: string): unknown } | undefined;
  /** A file that every event is written to as it happens, a line of JSON each. */
  readonly events?: string | undefined;
}

/** One run of the command line: where it prints, how, and with which exit code it will end. */
export class Cli {
  readonly io: Surroundings;
  readonly globals: GlobalFlags;
  readonly name: ProgramName;
  /** Texts of the files that diagnostics point into; filled by who reads them. */
  readonly sources = new Map<string, string>();
  /** Folder of the template, as it was given: files of diagnostics are named from there. */
  templateFolder = '';
  /** Set when the answer is no although nothing was thrown (a failed test). */
  exitCode = 0;
  /** True when standard output is for data. */
  json = false;
  /** What a verb that failed has to tell beside its errors. */
  partial: Readonly<Record<string, unknown>> = {};
  interrupted = false;
  /** Aborted when the user stops us. */
  signal: AbortSignal = new AbortController().signal;
  readonly #lastLines: string[] = [];
  #reporter: Reporter | undefined;

  constructor(io: Surroundings, globals: GlobalFlags, name: ProgramName = 'ingot') {
    this.io = io;
    this.name = name;
    this.globals = globals;
  }

  /** Whether to color what goes to a stream. */
  color(stream: OutputStream): boolean {
    return this.globals.color ?? wantsColor(stream, this.io.env);
  }

  /** Columns of standard error, for messages. */
  get width(): number {
    return this.io.stderr.columns || 100;
  }

  /** How diagnostics look on a stream. */
  rendering(stream: OutputStream): Required<RenderOptions> {
    return { color: this.color(stream), width: this.width, shownAs: (file) => this.#shownAs(file) };
  }

  /** From where the user is, as editors and terminals follow it. */
  #shownAs(file: string): string {
    const path = join(this.templateFolder, file);
    return this.templateFolder !== '' && !isAbsolute(file) && existsSync(path) ? path : file;
  }

  /** Prints lines for people on standard output. */
  print(text: string): void {
    this.io.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Prints data on standard output. */
  printJson(data: unknown): void {
    this.io.stdout.write(`${JSON.stringify(data, undefined, 2)}\n`);
  }

  /** Remembers source texts for the excerpts of later diagnostics. */
  addSources(sources: Sources): void {
    for (const [file, text] of sources) this.sources.set(file, text);
  }

  /** Whether a line of output was shown already, so that an error need not repeat it. */
  wasShown(line: string): boolean {
    return this.#lastLines.includes(line);
  }

  /** Calls a use case with a live reporter and a signal that Ctrl-C aborts. */
  async report<T>(options: ReportingOptions, work: (deps: UseCaseDeps) => Promise<T>): Promise<T> {
    this.json = options.json === true;
    const stream = this.#progressStream(options);
    const shownAs = (file: string): string => this.#shownAs(file);
    const settings = { color: this.color(stream), sources: this.sources, shownAs };
    const reporter = await createReporter(this.#kind(stream, options), {
      ...settings,
      stream,
      timestamps: options.timestamps === true,
    });
    this.#reporter = reporter;
    const junit = options.junit && (await createReporter('junit', { ...settings, stream: options.junit }));
    const events =
      options.events !== undefined &&
      (await createReporter('jsonl', { ...settings, stream: lineFile(options.events) }));
    const emit = (event: BuildEvent): void => {
      if (event.type === 'step:log') {
        this.#lastLines.push(event.line);
        if (this.#lastLines.length > 500) this.#lastLines.splice(0, 250);
      }
      reporter.handle(event);
      junit?.handle(event);
      if (events) events.handle(event);
    };
    const abort = new AbortController();
    this.signal = abort.signal;
    const stopListening = onInterrupt(() => {
      this.interrupted = true;
      emit({ type: 'message', level: 'warning', text: 'stopping; Ctrl-C again to stop at once' });
      abort.abort();
    });
    try {
      return await work({ emit, signal: abort.signal, addSources: (sources) => this.addSources(sources) });
    } finally {
      stopListening();
      this.#reporter = undefined;
      await reporter.close();
      await junit?.close();
    }
  }

  /** Takes the live view off the screen while the user is asked something; call the answer to bring it back. */
  suspendReporter(): () => void {
    return this.#reporter?.suspend?.() ?? (() => {});
  }

  #progressStream({ onStdout, json }: ReportingOptions): OutputStream {
    return this.globals.machineReadable || (onStdout && !json) ? this.io.stdout : this.io.stderr;
  }

  #kind(stream: OutputStream, options: ReportingOptions): ReporterKind {
    if (this.globals.machineReadable) return 'machine-readable';
    const live = stream.isTTY === true && this.io.env.TERM !== 'dumb' && this.io.env.CI === undefined;
    return live && !options.timestamps && !options.lines ? 'tty' : 'plain';
  }
}
