import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Digest, sha256 } from '../../src/core/digest.ts';
import { type Keepable, layersToKeep } from '../../src/store/layer-keep.ts';

const id = (name: string): Digest => sha256(name);

/** A layer used `age` seconds before second 1000. */
function layer(name: string, age: number, bytes = 10, parents: readonly string[] = []): Keepable {
  return { id: id(name), parents: parents.map(id), bytes, lastUsed: new Date((1000 - age) * 1000) };
}
const system = [
  layer('base', 30),
  layer('a', 20, 10, ['base']),
  layer('b', 10, 10, ['base']),
  layer('old', 500),
];

describe.each<[string, Parameters<typeof layersToKeep>[1], string[]]>([
  ['nothing is asked for', { keep: new Set() }, ['base', 'a', 'b', 'old']],
  ['by age', { keep: new Set(), usedSince: 900_000 }, ['base', 'a', 'b']],
  ['by age, where only a child is young', { keep: new Set(), usedSince: 985_000 }, ['base', 'b']],
  ['by size: the most recent, with what they stand on', { keep: new Set(), maxBytes: 20 }, ['base', 'b']],
  ['by size: nothing fits', { keep: new Set(), maxBytes: 9 }, []],
  ['held layers stay whatever the size', { keep: new Set([id('a')]), maxBytes: 0 }, ['base', 'a']],
])('%s', (_what, rules, expected) => {
  test('keeps what it should', () => {
    expect([...layersToKeep(system, rules)].sort()).toEqual(expected.map(id).sort());
  });
});

test('whatever the rules: parents stay with children, held ones stay, the rest fits', () => {
  const layers = fc
    .array(fc.record({ bytes: fc.nat(100), age: fc.nat(900), parents: fc.array(fc.nat(9)) }), {
      maxLength: 10,
    })
    .map((items) =>
      items.map((item, i) =>
        layer(String(i), item.age, item.bytes, [...new Set(item.parents)].filter((p) => p < i).map(String)),
      ),
    );
  fc.assert(
    fc.property(layers, fc.array(fc.nat(9)), fc.nat(500), fc.nat(900), (all, held, maxBytes, since) => {
      const keep = new Set(held.map((n) => id(String(n))));
      const kept = layersToKeep(all, { keep, maxBytes, usedSince: since * 1000 });
      for (const l of all) {
        if (kept.has(l.id)) for (const p of l.parents) expect(kept.has(p)).toBe(true);
        if (keep.has(l.id)) expect(kept.has(l.id)).toBe(true);
      }
      const bytes = all.filter((l) => kept.has(l.id)).reduce((sum, l) => sum + l.bytes, 0);
      if (keep.size === 0) expect(bytes).toBeLessThanOrEqual(maxBytes);
    }),
  );
});
