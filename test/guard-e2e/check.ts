import assert from 'node:assert/strict';
import { messageOf } from '../../src/platform/errors.ts';

/** What was checked so far, for the last line. */
export const count = { passed: 0, failed: 0 };

/** One check with a name of its own: the others go on when it fails. */
export async function check(what: string, body: () => void | Promise<void>): Promise<void> {
  try {
    await body();
    count.passed += 1;
    console.log(`  ok    ${what}`);
  } catch (error) {
    count.failed += 1;
    console.log(`  FAIL  ${what}\n${messageOf(error).replaceAll(/^/gm, '        ')}`);
  }
}

export function heading(text: string): void {
  console.log(`\n${text}`);
}

export function same<Value>(actual: Value, expected: NoInfer<Value>, about = ''): void {
  assert.deepStrictEqual(actual, expected, `${about}\nexpected: ${shown(expected)}\ngot:      ${shown(actual)}`);
}

export function holds(whole: string, part: string): void {
  assert.ok(whole.includes(part), `expected to find: ${part}\nin: ${whole}`);
}

export function lacks(whole: string, part: string): void {
  assert.ok(!whole.includes(part), `must not hold: ${part}\nin: ${whole}`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 1);
}
