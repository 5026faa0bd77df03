import type { Diagnostic } from '../core/diagnostic.ts';
import type { BuildEvent } from '../core/event.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';

/** Every event as one line of JSON, with the time (RFC 3339, UTC) before its own fields. */
export function jsonlReporter({ stream, now = Date.now }: ReporterOptions): Reporter {
  return {
    handle(event) {
      stream.write(`${JSON.stringify({ time: new Date(now()).toISOString(), ...plainData(event) })}\n`);
    },
    async close() {},
  };
}

/** The event without the error objects that diagnostics carry. */
function plainData(event: BuildEvent): object {
  if (event.type !== 'diagnostic') return event;
  return { ...event, diagnostic: diagnosticToJson(event.diagnostic) };
}

/** A diagnostic as data for programs: without its cause. */
export function diagnosticToJson({ cause: _cause, ...diagnostic }: Diagnostic): Omit<Diagnostic, 'cause'> {
  return diagnostic;
}
