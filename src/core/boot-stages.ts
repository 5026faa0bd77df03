/** A part of a machine's start, from the end of the one before it. */
export interface BootStage {
  readonly name: string;
  readonly seconds: number;
}

/** A moment of a start: the stage that ends there, and seconds since the kernel's start. */
export type BootMark = readonly [ends: string, at: number | undefined];

/**
 * Stages from the marks between them, in the order of time; a mark that is not known leaves its time to the next
 * stage. A stage that comes in pieces stands where the first of them is. Seconds are whole milliseconds.
 */
export function stagesBetween(marks: readonly BootMark[]): BootStage[] {
  const seconds = new Map<string, number>();
  let last = 0;
  const known = marks.filter((mark): mark is readonly [string, number] => (mark[1] ?? 0) > 0);
  for (const [name, at] of known.sort((a, b) => a[1] - b[1])) {
    seconds.set(name, (seconds.get(name) ?? 0) + at - last);
    last = at;
  }
  return [...seconds]
    .map(([name, sum]) => ({ name, seconds: Math.round(sum * 1000) / 1000 }))
    .filter((stage) => stage.seconds > 0);
}

/**
 * What the kernel's log says of its own start: when it was done, and when the initial RAM disk was, if there was one.
 * `init/main.c` of Linux and `src/core/main.c` of systemd write these lines.
 */
export function kernelMarks(log: readonly { readonly at: number; readonly text: string }[]): BootMark[] {
  const init = log.find(({ text }) => /^Run \S+ as init process$/.test(text));
  const system = log.find(({ text }) => /^systemd\[1\]: systemd \S+ running in system mode/.test(text));
  return [
    ['kernel', init?.at],
    [init?.text === 'Run /init as init process' ? 'initrd' : 'kernel', system?.at],
  ];
}

/** `kernel 1.4 s, initrd 2.1 s`. */
export function stagesText(stages: readonly BootStage[]): string {
  return stages.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(', ');
}

/** Reads what {@link stagesText} wrote. */
export function readStages(text: string): BootStage[] {
  return [...text.matchAll(/(?:^|, )(\S.*?) (\d+\.\d) s(?=, |$)/g)].map(([, name = '', seconds]) => ({
    name,
    seconds: Number(seconds),
  }));
}
