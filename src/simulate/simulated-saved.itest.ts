import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkStory, simulatedStory } from './simulated-saved.testing.ts';

it('what is simulated is what comes of it when it is saved', { timeout: 300_000 }, async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(simulatedStory, async (story) => {
      compared += await checkStory(story);
    }),
    { numRuns: 60 },
  );
  expect(compared).toBeGreaterThan(200);
});
