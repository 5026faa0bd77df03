import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that boot virtual machines, and about how many seconds each takes alone: one of them keeps a processor busy, and often two. */
const MACHINES: Readonly<Record<string, number>> = {
  'e2e/web.slow': 500,
  'e2e/first-boot.fault': 280,
  'machines/vm.slow': 450,
  'e2e/qemu.slow': 300,
  'e2e/disk-buses.slow': 130,
  'app/booted-copy.slow': 160,
};

/** The longest of those that do not. */
const OTHERS: Readonly<Record<string, number>> = {
  'provisioners/in-containers.slow': 150,
  'e2e/reproducible.slow': 130,
  'e2e/several-builds.slow': 120,
  'e2e/kill.fault': 90,
  'seal/first-boot.slow': 110,
  'sources/mmdebstrap/bootstrap.slow': 110,
  'e2e/secrets.slow': 80,
  'checks/bad-images.slow': 65,
  'e2e/bad-input.slow': 65,
  'e2e/verify-reproducible.slow': 60,
  'machines/container.slow': 50,
  'machines/docker/docker.slow': 40,
};
const SHORT = 10;

/**
 * The order in which two workers take test files so that, as long as there are others, at most one of the two runs virtual
 * machines: two such files at once take as long as one after the other. What Vitest knows of earlier runs is not there on a fresh clone.
 */
export class TwoLanes extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const starts = new Map([...startsOf(sorted, MACHINES), ...startsOf(sorted, OTHERS, SHORT)]);
    return sorted.toSorted((a, b) => (starts.get(a) ?? 0) - (starts.get(b) ?? 0));
  }
}

/** When each file of a lane would begin, the longest first: those of the table and, where `rest` is given, those of no table. */
function startsOf(
  files: readonly TestSpecification[],
  table: Readonly<Record<string, number>>,
  rest?: number,
): [TestSpecification, number][] {
  const lane = files.flatMap((file): [TestSpecification, number][] => {
    const name = /\/test\/(.*)\.test\.ts$/.exec(file.moduleId)?.[1] ?? '';
    const seconds = table[name] ?? (name in MACHINES ? undefined : rest);
    return seconds === undefined ? [] : [[file, seconds]];
  });
  let start = 0;
  return lane
    .toSorted((a, b) => b[1] - a[1])
    .map(([file, seconds]) => {
      start += seconds;
      return [file, start - seconds];
    });
}
