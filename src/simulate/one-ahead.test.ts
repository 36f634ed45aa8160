import { describe, expect, it } from 'vitest';
import { oneAhead } from './one-ahead.ts';

describe('one ahead', () => {
  it('gives all there is in its order, and has the next made before it is asked for', async () => {
    const made: number[] = [];
    async function* source() {
      for (const number of [1, 2, 3]) {
        made.push(number);
        yield number;
      }
    }
    const seen: string[] = [];
    for await (const number of oneAhead(source())) {
      await Promise.resolve();
      seen.push(`${number} of ${made.length}`);
    }
    expect(seen).toEqual(['1 of 2', '2 of 3', '3 of 3']);
  });

  it('fails where the source does, after what came before', async () => {
    async function* source() {
      yield 1;
      await Promise.reject(new Error('torn'));
    }
    const seen: number[] = [];
    const read = async () => {
      for await (const number of oneAhead(source())) seen.push(number);
    };
    await expect(read()).rejects.toThrow('torn');
    expect(seen).toEqual([1]);
  });

  it('waits for what is being made when nobody wants more', async () => {
    let done = false;
    async function* source() {
      yield 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
      done = true;
      yield 2;
    }
    for await (const _ of oneAhead(source())) break;
    expect(done).toBe(true);
  });
});
