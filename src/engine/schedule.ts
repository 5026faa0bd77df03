import type { Digest } from '../core/digest.ts';

/** One or several steps that run as one (outputs share a reader). */
export interface Job {
  readonly provides: readonly Digest[];
  readonly needs: readonly Digest[];
  /** What must have ended before, whatever became of it. */
  readonly after?: readonly Digest[];
  /** Answers false when the work was done and its verdict is a failure: what stands on it is skipped. */
  run(): Promise<boolean>;
  /** Called instead of run when something below failed. */
  skip(): void;
}

/**
 * Runs jobs as soon as what they need is there, at most `limit` at once. A job that throws stops the rest: jobs
 * under way are awaited (their signal is the caller's to abort, in `onThrow`), no other is begun, and the first
 * error is thrown. Answers whether every job succeeded.
 */
export async function runJobs(jobs: readonly Job[], limit: number, onThrow: () => void): Promise<boolean> {
  const waiting = new Set(jobs);
  const provided = new Map<Digest, Job>();
  for (const job of jobs) for (const id of job.provides) provided.set(id, job);
  const state = new Map<Job, 'done' | 'failed'>();
  const running = new Set<Promise<void>>();
  let thrown: { error: unknown } | undefined;

  const start = (job: Job): void => {
    waiting.delete(job);
    const task = job
      .run()
      .then(
        (ok) => void state.set(job, ok ? 'done' : 'failed'),
        (error: unknown) => {
          state.set(job, 'failed');
          if (!thrown) {
            thrown = { error };
            onThrow();
          }
        },
      )
      .finally(() => running.delete(task));
    running.add(task);
  };

  while (waiting.size > 0 || running.size > 0) {
    for (const job of waiting) {
      const jobsOf = (ids: readonly Digest[] = []): Job[] =>
        ids.map((id) => provided.get(id)).filter((j): j is Job => j !== undefined && j !== job);
      const below = jobsOf(job.needs);
      if (thrown || below.some((j) => state.get(j) === 'failed')) {
        waiting.delete(job);
        state.set(job, 'failed');
        job.skip();
      } else if (
        running.size < limit &&
        below.every((j) => state.get(j) === 'done') &&
        jobsOf(job.after).every((j) => state.has(j))
      ) {
        start(job);
      }
    }
    if (running.size > 0) await Promise.race(running);
    else if (
      waiting.size > 0 &&
      ![...waiting].some((job) =>
        [...job.needs, ...(job.after ?? [])].some((id) => state.has(provided.get(id) as Job)),
      )
    )
      throw new Error('the plan has steps that wait for each other');
  }
  if (thrown) throw thrown.error;
  return [...state.values()].every((s) => s === 'done');
}
