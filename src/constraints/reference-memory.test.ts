import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { compileRule } from './kinds/kinds.ts';
import { parseReferenceOnce } from './reference-memory.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Bytes that are still held after `work`, about. */
function heldAfter(work: () => void): number {
  gc();
  const before = process.memoryUsage().heapUsed;
  work();
  gc();
  return process.memoryUsage().heapUsed - before;
}

it('keeps no text that is too long for a reference, neither parsed nor judged', () => {
  const rules = (['compat', 'prefix', 'reference'] as const).map((mode) =>
    compileRule('K8sAllowedRepos', { repos: ['a.io/'] }, mode),
  );
  const held = heldAfter(() => {
    for (let at = 0; at < 50; at += 1) {
      const image = `evil.io/${at}${'x'.repeat(1_000_000)}`;
      const reference = parseReferenceOnce(image);
      expect(reference).toBeUndefined();
      for (const rule of rules) expect(rule?.breaches(image, reference)).toEqual(['repo']);
    }
  });
  expect(held).toBeLessThan(10_000_000);
});

it('a text too long for a reference is trusted by no prefix, except where everything is as in Gatekeeper', () => {
  const image = `a.io/${'x'.repeat(1100)}`;
  const breaches = (mode: 'compat' | 'prefix' | 'reference') =>
    compileRule('K8sAllowedRepos', { repos: ['a.io/'] }, mode)?.breaches(image, parseReferenceOnce(image));
  expect([breaches('reference'), breaches('prefix'), breaches('compat')]).toEqual([['repo'], ['repo'], []]);
});
