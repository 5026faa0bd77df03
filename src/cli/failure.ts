import type { Diagnostic } from '../core/diagnostic.ts';
import { DiagnosticsError, ExitCode, firstError, IngotError } from '../core/error.ts';
import { explainSystemError } from '../core/system-error.ts';
import { renderDiagnostics } from '../core/render-diagnostic.ts';
import { imageOf } from '../reporters/image-of.ts';
import { diagnosticToJson } from '../reporters/jsonl.ts';
import { machineReadableLine } from '../reporters/machine-readable.ts';
import { styles } from '../reporters/style.ts';
import { cleanLine } from '../reporters/terminal-text.ts';
import type { Cli } from './cli.ts';

/** Lines of a failed command's output that are shown below its error. */
const OUTPUT_LINES = 20;

/** Shows an error that ended a verb, and answers its exit code. */
export function showFailure(error: unknown, cli: Cli): number {
  if (cli.interrupted) {
    cli.io.stderr.write('interrupted\n');
    return ExitCode.Interrupted;
  }
  const { first } = firstError(error);
  // Several images may have failed, each for a reason of its own.
  const failures = (first instanceof AggregateError ? (first.errors as unknown[]) : [first]).map(told);
  for (const failure of failures) if (failure instanceof DiagnosticsError) cli.addSources(failure.sources);
  const diagnostics = failures.flatMap((failure) =>
    failure instanceof DiagnosticsError ? failure.diagnostics : [failure.toDiagnostic()],
  );
  showDiagnostics(diagnostics, cli);
  for (const { cause } of diagnostics) if (cause instanceof IngotError) showOutput(cause, cli);
  if (cli.globals.debug) cli.io.stderr.write(`${stackOf(error)}\n`);
  return Math.max(...failures.map(({ exitCode }) => exitCode));
}

/** An error as what the user is told of it. */
function told(error: unknown): IngotError | DiagnosticsError {
  if (error instanceof DiagnosticsError) return error;
  const explained = explainSystemError(error);
  return explained.code === 'internal/unexpected' ? unexpected(explained) : explained;
}

/** A wrong image file alone is wrong usage; a wrong template fails as Packer has it. */
export function failureCode(diagnostics: readonly Diagnostic[]): ExitCode {
  const errors = diagnostics.filter((d) => d.severity === 'error');
  return errors.length > 0 && errors.every((d) => d.range?.file.endsWith('.ingot.hcl'))
    ? ExitCode.Usage
    : ExitCode.Failed;
}

/** Diagnostics for people on standard error, and for programs on standard output where that was asked for. */
function showDiagnostics(diagnostics: readonly Diagnostic[], cli: Cli): void {
  const { stderr, stdout } = cli.io;
  if (cli.globals.machineReadable) {
    for (const { severity, message, code, cause } of diagnostics) {
      const target = cause instanceof IngotError && cause.step !== undefined ? imageOf(cause.step) : '';
      stdout.write(machineReadableLine(Date.now() / 1000, target, severity, [message, code]));
    }
    return;
  }
  if (cli.json) cli.printJson({ ...cli.partial, diagnostics: diagnostics.map(diagnosticToJson) });
  stderr.write(renderDiagnostics(diagnostics, cli.sources, cli.rendering(stderr)));
}

/** The last output of what failed, unless the reporter showed it while it ran. */
function showOutput(error: IngotError, cli: Cli): void {
  const lines = error.output.slice(-OUTPUT_LINES).filter((line) => !cli.wasShown(line));
  const { dim } = styles(cli.color(cli.io.stderr));
  for (const line of lines) cli.io.stderr.write(`  ${dim('│')} ${cleanLine(line)}\n`);
}

function unexpected(error: IngotError): IngotError {
  const { step, range, output, cause } = error;
  const message = `Ingot failed in a way that it did not foresee: ${error.message}`;
  return new IngotError(error.code, message, {
    hint: 'This is a defect of Ingot. Run the command again with --debug and file an issue with what it prints.',
    output,
    cause,
    ...(step !== undefined && { step }),
    ...(range && { range }),
  });
}

/** The stack of an error and of each error that caused it. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by: ${stackOf(error.cause)}`;
}
