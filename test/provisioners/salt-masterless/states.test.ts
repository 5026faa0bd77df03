import { expect, test } from 'vitest';
import { StateReader } from '../../../src/provisioners/salt-masterless/states.ts';

/** What salt-call 3006 prints. */
const OUTPUT = `local:
----------
          ID: /etc/site.conf
    Function: file.managed
      Result: True
     Comment: File /etc/site.conf updated
     Started: 11:30:11.535655
    Duration: 25.078 ms
     Changes:   
              ----------
              diff:
                  +          ID: no state
                  +      Result: False
----------
          ID: breaks
    Function: cmd.run
        Name: echo why >&2; exit 3
      Result: False
     Comment: One or more requisite failed:
              web.other
     Started: 11:30:11.562426
    Duration: 10.35 ms
     Changes:   
              ----------
              retcode:
                  3
----------
          ID: last
    Function: test.fail
      Result: False
     Comment: Failure!

Summary for local
------------
Succeeded: 1 (unchanged=1, changed=2)
Failed:    2
------------
Total states run:     3
`;

test('failed states with their comments, and the sums', () => {
  const reader = new StateReader();
  for (const line of OUTPUT.split('\n')) reader.take(line);
  reader.end();
  expect(reader.failed).toEqual([
    { id: 'breaks', comment: 'One or more requisite failed: web.other' },
    { id: 'last', comment: 'Failure!' },
  ]);
  expect(reader.summary).toBe('succeeded 1, changed 2, failed 2');
  expect(reader.toJson()).toEqual({ succeeded: 1, changed: 2, failed: 2 });
});

test('what is no such output has no sums', () => {
  const reader = new StateReader();
  reader.take('Failed: 3');
  reader.end();
  expect(reader.summary).toBeUndefined();
  expect(reader.toJson()).toBeNull();
});
