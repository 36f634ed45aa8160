import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClockedParts } from '../policy/clocked-parts.ts';
import type { Clock } from '../policy/clocks.ts';
import { judge } from '../policy/judge.ts';
import { anInput, DAY, findings, NOW, policies } from '../policy/judging.testing.ts';
import { marksText, readClock, SEEN } from './clock-marks.ts';
import { clocksOfSheet, sheetOf } from './clock-sheet.ts';
import { type Reckoning, reckon, seenAt } from './reckon.ts';
import { createRepositoryClocks } from './repository-clocks.ts';

/** An image is judged in a repository, on which day, with what found; images are looked at again, and copied. */
const event = fc.record({ repository: fc.nat(1), image: fc.nat(2), days: fc.nat(3), found: fc.nat(2) });

/** What is found, under names that others may have it under as well. */
const named = fc
  .tuple(findings, fc.infiniteStream(fc.subarray(['CVE-2024-0001', 'CVE-2024-0002', 'GHSA-aaaa-bbbb-cccc'])))
  .map(([found, names]) => found.map((finding) => ({ ...finding, aliases: names.next().value ?? [] })));

describe('the clocks of a repository whose images are judged one after the other', () => {
  it('are those that each reckoning by itself comes to, and start the same', () => {
    let settled = 0;
    fc.assert(
      fc.property(
        fc.array(fc.oneof(findings, named), { minLength: 3, maxLength: 3 }),
        fc.array(event, { minLength: 2, maxLength: 30 }),
        fc.array(policies, { minLength: 1, maxLength: 2 }),
        (found, events, changing) => {
          const stored = [new Rows(), new Rows()];
          const sheets = ['', '', ''];
          const repositories = stored.map((rows) => createRepositoryClocks(rows.read()));
          let now = NOW;
          for (const [at, one] of events.entries()) {
            now += one.days * DAY;
            const [ownFindings, rows, sheet] = [found[one.found], stored[one.repository], sheets[one.image]];
            const policy = changing[Math.floor((at * changing.length) / events.length)];
            if (!ownFindings || !rows || sheet === undefined || !policy) throw new Error('no such thing');
            const partsOf = createClockedParts([policy], undefined);
            const image = clocksOfSheet(sheet);
            const alone = reckon(ownFindings, { repository: rows.read(), image, partsOf }, now);
            const together = repositories[one.repository]?.reckon(ownFindings, {
              image: clocksOfSheet(sheet),
              policies: [policy],
              distribution: undefined,
              now,
            });
            expect(together?.reckoning.newInRepository).toEqual(alone.newInRepository);
            expect(together?.reckoning.newInImage).toEqual(alone.newInImage);
            const input = anInput({ findings: ownFindings, policy, now });
            const [expected, given] = [alone.clocks, together?.clocks ?? []].map((clocks) =>
              JSON.stringify(judge({ ...input, clocks })),
            );
            expect(given).toBe(expected);
            if (together && 'ofRun' in together.clocks && ownFindings.length > 0) settled += 1;
            rows.start(alone);
            sheets[one.image] = sheet + sheetOf([...alone.newInImage].map(([key, { marks }]) => [key, marks]));
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(settled).toBeGreaterThan(300);
  });
});

/** A repository as its rows are read again. */
class Rows {
  readonly #rows = new Map<string, { readonly firstSeen: number; readonly marks: string }>();

  read(): Map<string, Clock> {
    return new Map([...this.#rows].map(([key, { firstSeen, marks }]) => [key, readClock(firstSeen, marks)]));
  }

  start({ newInRepository, clocks }: Reckoning): void {
    for (const [key, { marks }] of newInRepository) {
      const known = this.#rows.get(key);
      const text = marksText(marks.filter(({ name }) => name !== SEEN));
      const firstSeen = known?.firstSeen ?? seenAt(marks) ?? clocks.get(key)?.firstSeen ?? Number.NaN;
      this.#rows.set(key, { firstSeen, marks: `${known?.marks ?? ''}${text}` });
    }
  }
}
