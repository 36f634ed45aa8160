import { setImmediate as immediately } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createTurns } from './turns.ts';

it('does one thing at a time, in order, and lets others in between', async () => {
  const turns = createTurns();
  const order: string[] = [];
  for (const name of ['a', 'b', 'c']) turns.take(() => void order.push(name));
  expect(order).toEqual([]);
  await immediately();
  order.push('other');
  await immediately();
  await immediately();
  expect(order).toEqual(['a', 'other', 'b', 'c']);
  turns.take(() => void order.push('d'));
  await immediately();
  expect(order.at(-1)).toBe('d');
});

it('goes on after something that fails', async () => {
  const turns = createTurns();
  const order: string[] = [];
  const failed = new Promise((resolve) => process.once('uncaughtException', resolve));
  turns.take(() => {
    throw new Error('a mistake');
  });
  turns.take(() => void order.push('next'));
  await failed;
  await immediately();
  expect(order).toEqual(['next']);
});
