import { describe, expect, it } from 'vitest';
import { within } from './within.ts';

describe('within', () => {
  it('gives the value or the failure when it comes in time', async () => {
    expect(await within(Promise.resolve(5), 1000)).toBe(5);
    await expect(within(Promise.reject(new Error('no')), 1000)).rejects.toThrow('no');
  });

  it('gives undefined when it does not, and a later failure harms nobody', async () => {
    const work = Promise.withResolvers<number>();
    expect(await within(work.promise, 5)).toBeUndefined();
    work.reject(new Error('late'));
    await new Promise((resolve) => setImmediate(resolve));
  });
});
