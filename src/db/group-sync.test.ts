import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createGroupSync } from './group-sync.ts';

/** A sync that ends when told; what was written before it began is durable then. */
function disk() {
  let written = 0;
  let durable = 0;
  let syncs = 0;
  let release: (() => void) | undefined;
  const synced = createGroupSync(async () => {
    syncs += 1;
    const covers = written;
    await new Promise<void>((resolve) => (release = resolve));
    durable = covers;
  });
  return {
    write: async (): Promise<boolean> => {
      const number = (written += 1);
      await synced();
      return durable >= number;
    },
    end: async () => {
      release?.();
      await setImmediate();
    },
    syncs: () => syncs,
  };
}

it('resolves for nobody whose write the sync did not cover, and lets all who wait share the next one', async () => {
  const { write, end, syncs } = disk();
  const first = write();
  const late = [write(), write(), write()];
  await end();
  expect(await first).toBe(true);
  expect(syncs()).toBe(2);
  await end();
  expect(await Promise.all(late)).toEqual([true, true, true]);
  expect(syncs()).toBe(2);
  const after = write();
  await end();
  expect(await after).toBe(true);
});

it('fails for all who waited for it, and is tried anew for those who come later', async () => {
  let broken = true;
  let syncs = 0;
  const synced = createGroupSync(async () => {
    syncs += 1;
    if (broken) throw new Error('input/output error');
  });
  const failed = await Promise.allSettled([synced(), synced(), synced()]);
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(syncs).toBe(2);
  broken = false;
  await expect(synced()).resolves.toBeUndefined();
  expect(syncs).toBe(3);
});
