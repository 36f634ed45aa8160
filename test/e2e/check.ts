import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { isLeftOut } from '../support/peers.ts';
import type { Outcome } from '../support/program.ts';

/** Number of things that were checked, for the last line. */
export const checked = { count: 0 };

/** Names of `BREAKWATER_LEAVE_OUT` that some step took notice of. */
export const leftOut = new Set<string>();

/** True when this is to be left out; it is then said in the summary. */
export function leavesOut(name: string): boolean {
  if (!isLeftOut(name)) return false;
  leftOut.add(name);
  console.log(`\n(left out: ${name})`);
  return true;
}

/** Both are the same, deeply. */
export function same<Value>(actual: Value, expected: NoInfer<Value>, what: string): void {
  checked.count += 1;
  assert.deepStrictEqual(actual, expected, `${what}\n  expected: ${text(expected)}\n  got:      ${text(actual)}`);
}

/** The text holds the part, character for character. */
export function holds(whole: string, part: string, what: string): void {
  checked.count += 1;
  assert.ok(whole.includes(part), `${what}\n  expected to find: ${part}\n  in: ${whole}`);
}

export function matches(whole: string, pattern: RegExp, what: string): void {
  checked.count += 1;
  assert.match(whole, pattern, `${what}\n  expected: ${pattern}\n  in: ${whole}`);
}

export function lacks(whole: string, part: string, what: string): void {
  checked.count += 1;
  assert.ok(!whole.includes(part), `${what}\n  must not hold: ${part}\n  in: ${whole}`);
}

/** True, with a sentence about it. */
export function yes(condition: boolean, what: string): asserts condition {
  checked.count += 1;
  assert.ok(condition, what);
}

/** The program ended with this exit code. */
export function ended(outcome: Outcome, code: number, what: string): void {
  checked.count += 1;
  assert.equal(outcome.code, code, `${what}: ended with ${outcome.code} instead of ${code}\n${outcome.screen}`);
}

/** Asks until there is an answer; throws with `what` after `limitMs`, 20 s unless told. */
export async function eventually<Value>(
  what: string,
  ask: () => Promise<Value | undefined>,
  limitMs = 20_000,
): Promise<Value> {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) {
      checked.count += 1;
      return answer;
    }
    if (performance.now() > end)
      throw new assert.AssertionError({ message: `waited ${limitMs / 1000} s for: ${what}` });
    await delay(250);
  }
}

function text(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? String(value);
}
