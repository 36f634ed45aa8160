import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../mirror/errors.ts';
import { fixedClock } from '../platform/clock.ts';
import { HttpError } from '../platform/http-client.ts';
import { ImportError } from './errors.ts';
import { createPatience } from './patience.ts';

const gone = () => new UpstreamError('unavailable', 'gone', { cause: new HttpError('unreachable', 'gone') });
const failing = () => Promise.reject(gone());
const busy = (retryAfterSeconds?: number) => new UpstreamError('unavailable', 'busy', { retryAfterSeconds });

function world() {
  const clock = fixedClock(0);
  const waits: number[] = [];
  const pauses: number[] = [];
  const patience = createPatience({
    clock,
    async wait(ms) {
      waits.push(ms);
      clock.advance(ms);
    },
    onPause: (seconds) => pauses.push(seconds),
  });
  return { patience, waits, pauses };
}

describe('patience', () => {
  it('waits longer each time, and then gives what came', async () => {
    const { patience, waits } = world();
    let left = 3;
    expect(
      await patience('source', async () => {
        left -= 1;
        if (left >= 0) throw busy();
        return 'there';
      }),
    ).toBe('there');
    expect(waits).toEqual([1000, 2000, 4000]);
  });

  it('has everybody wait as long as the registry says', async () => {
    const { patience, waits, pauses } = world();
    let first = true;
    await patience('source', async () => {
      if (first) {
        first = false;
        throw busy(60);
      }
    });
    expect([waits, pauses]).toEqual([[60_000], [60]]);
    // Nobody waits longer than a quarter of an hour, whatever it says.
    await expect(patience('source', () => Promise.reject(busy(1e9)))).rejects.toThrow('busy');
    expect(Math.max(...waits)).toBe(900_000);
  });

  it('gives up when nothing works any more, and not for one thing', async () => {
    const { patience } = world();
    for (let at = 1; at < 5; at += 1) await expect(patience('source', failing)).rejects.toThrow(UpstreamError);
    await patience('source', async () => 'one that works');
    for (let at = 1; at < 5; at += 1) await expect(patience('source', failing)).rejects.toThrow(UpstreamError);
    // The other side may answer all the time.
    await patience('target', async () => 'well');
    await expect(patience('source', failing)).rejects.toThrow(ImportError);
  });

  it('never gives up the rest because of what one registry has broken', async () => {
    const { patience } = world();
    for (let at = 0; at < 20; at += 1)
      await expect(patience('source', () => Promise.reject(busy()))).rejects.toThrow(UpstreamError);
  });

  it('does not try again what will not change', async () => {
    const { patience, waits } = world();
    await expect(patience('source', () => Promise.reject(new UpstreamError('denied', 'no')))).rejects.toThrow('no');
    expect(waits).toEqual([]);
  });
});
