import { parseRegex } from './parse.ts';
import { type Assertion, isWord, type Piece, syntaxError } from './syntax.ts';

/** A regular expression that is asked for truth only, in time linear in the text whatever it says. */
export interface Regex {
  /** Does it match anywhere in the text? */
  test(text: string): boolean;
}

type Step =
  | { readonly op: 'char'; readonly accepts: (code: number) => boolean }
  | { readonly op: 'assert'; readonly what: Assertion }
  | { op: 'split'; readonly to: number[] }
  | { readonly op: 'match' };

/** Steps one expression may take once its counts are written out; time is text × steps. */
const MOST_STEPS = 20_000;

/**
 * Compiles an expression in Go's syntax (RE2: no look-around, no back references) into a machine that keeps all its
 * states at once. Throws `GatorError('regex_invalid')` in Go's words.
 */
export function compileRegex(pattern: string): Regex {
  const steps: Step[] = [];
  add(steps, parseRegex(pattern), pattern);
  steps.push({ op: 'match' });
  return { test: (text) => run(steps, text) };
}

function push(steps: Step[], step: Step, pattern: string): void {
  if (steps.length >= MOST_STEPS) throw syntaxError('expression too large', pattern.slice(0, 100));
  steps.push(step);
}

/** Writes the steps of a piece; it is done when the step after its last is reached. */
function add(steps: Step[], piece: Piece, pattern: string): void {
  switch (piece.kind) {
    case 'empty':
      return;
    case 'char':
      push(steps, { op: 'char', accepts: piece.accepts }, pattern);
      return;
    case 'assert':
      push(steps, { op: 'assert', what: piece.what }, pattern);
      return;
    case 'cat':
      for (const part of piece.parts) add(steps, part, pattern);
      return;
    case 'alt':
      addChoices(steps, piece.parts, pattern);
      return;
    case 'repeat':
      addRepeat(steps, piece, pattern);
  }
}

function addChoices(steps: Step[], parts: readonly Piece[], pattern: string): void {
  const fork: { op: 'split'; to: number[] } = { op: 'split', to: [] };
  push(steps, fork, pattern);
  const ends: { op: 'split'; to: number[] }[] = [];
  for (const part of parts) {
    fork.to.push(steps.length);
    add(steps, part, pattern);
    const end: { op: 'split'; to: number[] } = { op: 'split', to: [] };
    push(steps, end, pattern);
    ends.push(end);
  }
  for (const end of ends) end.to.push(steps.length);
}

function addRepeat(steps: Step[], piece: Piece & { kind: 'repeat' }, pattern: string): void {
  for (let count = 0; count < piece.least; count++) add(steps, piece.piece, pattern);
  if (piece.most === Number.POSITIVE_INFINITY) {
    const loop: { op: 'split'; to: number[] } = { op: 'split', to: [steps.length + 1] };
    const at = steps.length;
    push(steps, loop, pattern);
    add(steps, piece.piece, pattern);
    push(steps, { op: 'split', to: [at] }, pattern);
    loop.to.push(steps.length);
    return;
  }
  const ways: { op: 'split'; to: number[] }[] = [];
  for (let count = piece.least; count < piece.most; count++) {
    const way: { op: 'split'; to: number[] } = { op: 'split', to: [steps.length + 1] };
    push(steps, way, pattern);
    ways.push(way);
    add(steps, piece.piece, pattern);
  }
  for (const way of ways) way.to.push(steps.length);
}

function run(steps: readonly Step[], text: string): boolean {
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  let states: number[] = [];
  for (let at = 0; at <= codes.length; at++) {
    const reached = new Uint8Array(steps.length);
    const stack = [...states, 0];
    const waiting: number[] = [];
    while (stack.length > 0) {
      const state = stack.pop() ?? 0;
      if (reached[state] === 1) continue;
      reached[state] = 1;
      const step = steps[state];
      if (step === undefined || step.op === 'match') return true;
      if (step.op === 'char') waiting.push(state);
      else if (step.op === 'split') stack.push(...step.to);
      else if (holds(step.what, codes, at)) stack.push(state + 1);
    }
    const code = codes[at];
    if (code === undefined) return false;
    states = waiting.flatMap((state) => {
      const step = steps[state];
      return step?.op === 'char' && step.accepts(code) ? [state + 1] : [];
    });
  }
  return false;
}

function holds(what: Assertion, codes: readonly number[], at: number): boolean {
  const before = codes[at - 1];
  const after = codes[at];
  const edge = (before !== undefined && isWord(before)) !== (after !== undefined && isWord(after));
  switch (what) {
    case 'text-start':
      return before === undefined;
    case 'text-end':
      return after === undefined;
    case 'line-start':
      return before === undefined || before === 10;
    case 'line-end':
      return after === undefined || after === 10;
    case 'word':
      return edge;
    case 'not-word':
      return !edge;
  }
}
