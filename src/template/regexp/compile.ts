import { type Assertion, type CharClass, type Node, PatternError } from './syntax.ts';

/** An instruction of the matcher. `split` prefers `to`. */
export type Instruction =
  | { readonly op: 'chars'; readonly chars: CharClass }
  | { readonly op: 'assert'; readonly what: Assertion }
  | { readonly op: 'save'; readonly slot: number }
  | { op: 'split'; to: number; other: number }
  | { op: 'jump'; to: number }
  | { readonly op: 'match' };

/** Patterns beyond this are refused: time grows with program × text. */
const MAX_PROGRAM = 20_000;

/** A program for the matcher; group 0 is the whole. */
export function compilePattern(node: Node): Instruction[] {
  const program: Instruction[] = [];
  emit({ kind: 'group', node, index: 0 }, program);
  add(program, { op: 'match' });
  return program;
}

function add<T extends Instruction>(program: Instruction[], instruction: T): T {
  if (program.length >= MAX_PROGRAM) throw new PatternError('the pattern is too large');
  program.push(instruction);
  return instruction;
}

function emit(node: Node, program: Instruction[]): void {
  switch (node.kind) {
    case 'empty':
      return;
    case 'chars':
      add(program, { op: 'chars', chars: node.chars });
      return;
    case 'assert':
      add(program, { op: 'assert', what: node.what });
      return;
    case 'concat':
      for (const inner of node.nodes) emit(inner, program);
      return;
    case 'group':
      add(program, { op: 'save', slot: 2 * node.index });
      emit(node.node, program);
      add(program, { op: 'save', slot: 2 * node.index + 1 });
      return;
    case 'alternate':
      return emitAlternate(node.nodes, program);
    case 'repeat':
      return emitRepeat(node, program);
  }
}

function emitAlternate(nodes: readonly Node[], program: Instruction[]): void {
  const exits: { to: number }[] = [];
  nodes.forEach((inner, i) => {
    if (i === nodes.length - 1) return emit(inner, program);
    const split = add(program, { op: 'split', to: program.length + 1, other: 0 });
    emit(inner, program);
    exits.push(add(program, { op: 'jump', to: 0 }));
    split.other = program.length;
  });
  for (const exit of exits) exit.to = program.length;
}

function emitRepeat(node: Node & { kind: 'repeat' }, program: Instruction[]): void {
  for (let i = 0; i < node.min; i++) emit(node.node, program);
  if (node.max === Number.POSITIVE_INFINITY) {
    const start = program.length;
    const split = add(program, { op: 'split', to: 0, other: 0 });
    emit(node.node, program);
    add(program, { op: 'jump', to: start });
    aim(split, start + 1, program.length, node.greedy);
    return;
  }
  const splits: { at: number; split: { to: number; other: number } }[] = [];
  for (let i = node.min; i < node.max; i++) {
    splits.push({ at: program.length, split: add(program, { op: 'split', to: 0, other: 0 }) });
    emit(node.node, program);
  }
  for (const { at, split } of splits) aim(split, at + 1, program.length, node.greedy);
}

function aim(split: { to: number; other: number }, more: number, exit: number, greedy: boolean): void {
  split.to = greedy ? more : exit;
  split.other = greedy ? exit : more;
}
