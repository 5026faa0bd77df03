import type { BuildEvent } from '../core/event.ts';
import { imageOf } from './image-of.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { cleanLine } from './terminal-text.ts';

type CheckEvent = Extract<BuildEvent, { type: 'check:result' }>;

/** Check results as JUnit XML, written on close: a suite for each image, a case for each check. */
export function junitReporter({ stream }: ReporterOptions): Reporter {
  const checks: CheckEvent[] = [];
  return {
    handle(event) {
      if (event.type === 'check:result') checks.push(event);
    },
    async close() {
      stream.write(junitXml(checks));
    },
  };
}

function junitXml(checks: readonly CheckEvent[]): string {
  const images = [...new Set(checks.map((check) => imageOf(check.step)))];
  const suites = images.map((image) =>
    suite(
      image,
      checks.filter((check) => imageOf(check.step) === image),
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`;
}

function suite(image: string, checks: readonly CheckEvent[]): string {
  const count = (status: CheckEvent['status']): number => checks.filter((c) => c.status === status).length;
  const seconds = checks.reduce((sum, check) => sum + (check.seconds ?? 0), 0);
  const attributes = `name="${escape(image)}" tests="${checks.length}" failures="${count('failed')}" errors="0" skipped="${count('skipped')}" time="${seconds.toFixed(3)}"`;
  return `  <testsuite ${attributes}>\n${checks.map(testCase).join('')}  </testsuite>\n`;
}

function testCase(check: CheckEvent): string {
  const time = check.seconds === undefined ? '' : ` time="${check.seconds.toFixed(3)}"`;
  const head = `    <testcase classname="${escape(check.step)}" name="${escape(check.name)}"${time}`;
  if (check.status === 'passed') return `${head}/>\n`;
  const element = check.status === 'failed' ? 'failure' : 'skipped';
  const message = check.message === undefined ? '' : ` message="${escape(check.message)}"`;
  return `${head}>\n      <${element}${message}/>\n    </testcase>\n`;
}

/** Text for an XML attribute; characters that XML 1.0 forbids are gone (section 2.2). */
function escape(text: string): string {
  return text
    .split('\n')
    .map(cleanLine)
    .join('\n')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;')
    .replace(/[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '');
}
