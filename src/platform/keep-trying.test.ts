import { expect, it } from 'vitest';
import { keepTrying } from './keep-trying.ts';

it('tries until it succeeds, and tells of every failure', async () => {
  let tries = 0;
  const failures: unknown[] = [];
  await keepTrying(
    async () => {
      tries += 1;
      if (tries < 3) throw new Error(`no ${tries}`);
    },
    { everyMs: 1, signal: new AbortController().signal, onFailure: (error) => failures.push(error) },
  );
  expect(tries).toBe(3);
  expect(failures.map(String)).toEqual(['Error: no 1', 'Error: no 2']);
});

it('ends with the signal, also while it waits', async () => {
  const stop = new AbortController();
  let tries = 0;
  await keepTrying(
    async () => {
      tries += 1;
      setTimeout(() => stop.abort(), 5);
      throw new Error('never');
    },
    { everyMs: 60_000, signal: stop.signal, onFailure: () => undefined },
  );
  expect(tries).toBe(1);
});
