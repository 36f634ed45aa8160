import { expect, it } from 'vitest';
import { createNamespaceLookup } from './namespace-lookup.ts';

it('asks for a namespace once, however many wait for it, and again later', async () => {
  const asked: string[] = [];
  let answer: (() => void) | undefined;
  const lookup = createNamespaceLookup((name) => {
    asked.push(name);
    return new Promise((resolve) => {
      answer = resolve;
    });
  });
  const all = Array.from({ length: 150 }, () => lookup('new'));
  expect(asked).toEqual(['new']);
  answer?.();
  await Promise.all(all);
  const again = lookup('new');
  expect(asked).toEqual(['new', 'new']);
  answer?.();
  await again;
});

it('has few requests under way and few waiting, and does not wait for an answer that does not come', async () => {
  const asked = new Set<string>();
  const lookup = createNamespaceLookup((name) => {
    asked.add(name);
    return new Promise(() => undefined);
  });
  const began = performance.now();
  const waits = Array.from({ length: 1000 }, (_, at) => lookup(`n${at}`).then(() => performance.now() - began));
  const times = await Promise.all(waits);
  expect(asked.size).toBe(20);
  expect(times.filter((time) => time >= 490)).toHaveLength(20);
  // Those who ask for one of them wait too, up to a number.
  const more = Array.from({ length: 500 }, () => lookup('n1').then(() => performance.now()));
  const later = performance.now();
  expect((await Promise.all(more)).filter((time) => time - later > 400)).toHaveLength(200);
});
