import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KeyAction, parseBootCommand } from '../../../src/sources/qemu/boot-command.ts';

const tap = (keysym: number): KeyAction => ({ kind: 'key', keysym, press: 'tap' });
const wait = (ms: number): KeyAction => ({ kind: 'wait', ms });

describe('boot_command', () => {
  test.each<[string, KeyAction[]]>([
    ['a1', [tap(0x61), tap(0x31)]],
    ['<enter><Return>', [tap(0xff0d), tap(0xff0d)]],
    ['<esc><wait>', [tap(0xff1b), wait(1000)]],
    ['<wait5><wait10s><wait1m30s><wait250ms>', [wait(5000), wait(10_000), wait(90_000), wait(250)]],
    ['<f1><f12>', [tap(0xffbe), tap(0xffc9)]],
    [
      '<leftCtrlOn>c<leftCtrlOff>',
      [
        { kind: 'key', keysym: 0xffe3, press: 'down' },
        tap(0x63),
        { kind: 'key', keysym: 0xffe3, press: 'up' },
      ],
    ],
    [
      '<aOn><aOff>',
      [
        { kind: 'key', keysym: 0x61, press: 'down' },
        { kind: 'key', keysym: 0x61, press: 'up' },
      ],
    ],
    ['<', [tap(0x3c)]],
    ['<x>', [tap(0x3c), tap(0x78), tap(0x3e)]],
    ['<wait5x>', Array.from('<wait5x>', (c) => tap(c.charCodeAt(0)))],
    ['\n', [tap(0xff0d)]],
    ['é€', [tap(0xe9), tap(0x010020ac)]],
    ['<spacebar><bs><del><tab>', [tap(0x20), tap(0xff08), tap(0xffff), tap(0xff09)]],
  ])('%j', (text, actions) => expect(parseBootCommand(text)).toEqual({ actions }));

  test('a wait of more than a day is a mistake', () => {
    expect(parseBootCommand('<wait100h>').error).toContain('day');
  });

  test('any text gives actions, and text without brackets one key a character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { actions, error } = parseBootCommand(text);
        expect(error === undefined ? actions.length <= Array.from(text).length : actions.length === 0).toBe(
          true,
        );
        if (!text.includes('<')) expect(actions).toHaveLength(Array.from(text).length);
      }),
    );
  });
});
