import { expect, test } from 'vitest';
import { parseGossFile } from '../../../src/checks/goss/parse.ts';
import { findWeakChecks } from '../../../src/checks/goss/weak.ts';

const weak = (yaml: string, strict = false) =>
  findWeakChecks(parseGossFile(yaml, 'goss.yaml').resources, strict);

test.each([
  ['command: {x: {exit-status: 0, stdout: []}}', /stdout of command "x" asserts nothing/],
  ['matching: {x: {content: 1, matches: {and: []}}}', /matches of matching "x"/],
  ['matching: {x: {content: 1, matches: {or: [1, {and: []}]}}}', /matches/],
  ['matching: {x: {content: a, matches: {match-regexp: ".*"}}}', /matches/],
  ['file: {/x: {exists: true, contents: ["", "/.*/"]}}', /contents/],
  ['file: {/x: {exists: true, contents: ["/", "\\\\"]}}', /contents/],
  ['service: {x: {}}', /service "x" checks nothing/],
  ['file: {/x: {exists: true, skip: true}}', /everything in the goss file is skipped/],
])('%s', (yaml, message) => {
  expect(weak(yaml).map((d) => d.message)).toEqual([expect.stringMatching(message)]);
  expect(weak(yaml)[0]?.severity).toBe('warning');
  expect(weak(yaml, true)[0]?.severity).toBe('error');
});

test.each([
  'command: {x: {exit-status: 0, stdout: [a]}}',
  'matching: {x: {content: 1, matches: {and: [1]}}}',
  'matching: {x: {content: [], matches: {consist-of: []}}}',
  'matching: {x: {content: a, matches: {not: {and: []}}}}',
  'service: {x: {running: false}}',
])('strong enough: %s', (yaml) => expect(weak(yaml)).toEqual([]));
