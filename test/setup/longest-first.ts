import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take over a minute, the longest first: begun late, one of them would run alone at the end. */
const LONG = [
  'e2e/web.slow',
  'e2e/first-boot.fault',
  'machines/vm.slow',
  'e2e/disk-buses.slow',
  'e2e/qemu.slow',
  'firstboot/render.slow',
  'provisioners/in-containers.slow',
  'sources/mmdebstrap/bootstrap.slow',
  'app/booted-copy.slow',
  'e2e/reproducible.slow',
  'e2e/kill.fault',
  'seal/first-boot.slow',
  'e2e/several-builds.slow',
  'e2e/bad-input.slow',
  'e2e/secrets.slow',
  'e2e/verify-reproducible.slow',
].map((name) => `/test/${name}.test.ts`);

/** What Vitest knows of earlier runs is not there on a fresh clone. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? LONG.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
