import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kernelMarks, readStages, stagesBetween, stagesText } from '../../src/core/boot-stages.ts';

test('stages lie between their marks, whatever the order in which those were found', () => {
  expect(
    stagesBetween([
      ['system', 5],
      ['kernel', 1.5],
      ['services', 9.25],
    ]),
  ).toEqual([
    { name: 'kernel', seconds: 1.5 },
    { name: 'system', seconds: 3.5 },
    { name: 'services', seconds: 4.25 },
  ]);
});

test('what is not known is part of the next stage, and pieces of one stage are one', () => {
  expect(
    stagesBetween([
      ['kernel', undefined],
      ['initrd', 0],
      ['services', 4],
      ['command a', 5],
      ['services', 7],
    ]),
  ).toEqual([
    { name: 'services', seconds: 6 },
    { name: 'command a', seconds: 1 },
  ]);
});

test.each([
  ['an initial RAM disk', 'Run /init as init process', ['kernel', 'initrd']],
  ['none', 'Run /sbin/init as init process', ['kernel', 'kernel']],
])("reads the end of the kernel's start, with %s", (_what, text, names) => {
  const log = [
    { at: 0.1, text: 'Linux version 6.1.0' },
    { at: 2, text },
    { at: 5, text: 'systemd[1]: systemd 252.39-1~deb12u1 running in system mode (+PAM)' },
  ];
  expect(kernelMarks(log)).toEqual([
    [names[0], 2],
    [names[1], 5],
  ]);
  expect(kernelMarks([])).toEqual([
    ['kernel', undefined],
    ['kernel', undefined],
  ]);
});

test('what is written for people is read again', () => {
  const name = fc
    .stringMatching(/^[a-z][a-z0-9 .@"'_-]*$/)
    .filter((text) => !/ \d+\.\d s/.test(text) && !text.endsWith(' '));
  const stage = fc.record({
    name,
    seconds: fc.integer({ min: 0, max: 99_999 }).map((tenths) => tenths / 10),
  });
  fc.assert(
    fc.property(fc.array(stage), (stages) => {
      expect(readStages(stagesText(stages))).toEqual(stages);
    }),
  );
  expect(readStages('nothing of the kind')).toEqual([]);
});
