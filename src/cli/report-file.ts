import { writeFileSync } from 'node:fs';
import type { EvidenceUse } from '../app/keep-evidence.ts';
import type { EvidenceReport } from '../app/report.ts';
import { IngotError } from '../core/error.ts';

/** Collects what is reported to a file while `work` runs, and writes it at the end, also when `work` failed. */
export async function writeReportFile<T>(
  path: string | undefined,
  work: (stream: { write(text: string): void } | undefined) => Promise<T>,
): Promise<T> {
  if (path === undefined) return await work(undefined);
  let text = '';
  try {
    return await work({ write: (part) => void (text += part) });
  } finally {
    save(path, text);
  }
}

/** Writes a page about every image that `work` built or failed to build, also when it failed. */
export async function writeEvidencePage<T>(
  path: string | undefined,
  work: (use: EvidenceUse) => Promise<T>,
): Promise<T> {
  if (path === undefined) return await work({});
  const { evidencePage } = await import('../reporters/html/page.ts');
  const reports = new Map<string, EvidenceReport>();
  return await writeReportFile(path, async (stream) => {
    try {
      return await work({ onEvidence: (report) => void reports.set(report.bundle.image.name, report) });
    } finally {
      stream?.write(evidencePage([...reports.values()]));
    }
  });
}

/** A report that is complete. */
export function writeWholeReport(path: string, text: string): void {
  save(path, text);
}

/** A file that is written as text comes; whatever was in it before is gone. */
export function lineFile(path: string): { write(text: string): void } {
  save(path, '');
  return { write: (text) => save(path, text, 'a') };
}

function save(path: string, text: string, flag = 'w'): void {
  try {
    writeFileSync(path, text, { flag });
  } catch (error) {
    throw new IngotError(
      'cli/report-not-written',
      `the report ${path} could not be written: ${(error as Error).message}`,
      {
        hint: 'Give the path of a file in a folder that exists and may be written.',
        cause: error,
      },
    );
  }
}
