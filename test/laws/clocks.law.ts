import fc from 'fast-check';
import { createClockedParts } from '../../src/policy/clocked-parts.ts';
import { CLOCKED, type Clock } from '../../src/policy/clocks.ts';
import { judge } from '../../src/policy/judge.ts';
import { anInput, DAY, findings, NOW, policies } from '../../src/policy/judging.testing.ts';
import { marksText, readClock, SEEN } from '../../src/verdicts/clock-marks.ts';
import { clocksOfSheet, sheetOf } from '../../src/verdicts/clock-sheet.ts';
import { type Reckoning, reckon, seenAt } from '../../src/verdicts/reckon.ts';
import type { Law } from './law.ts';

/** A place that keeps clocks as the stores do: rows of a repository, or the sheet of a manifest. */
interface Place {
  read(): Map<string, Clock>;
  start(started: Reckoning['newInImage']): void;
}

function aRepository(): Place {
  const rows = new Map<string, { firstSeen: number; marks: string }>();
  return {
    read: () => new Map([...rows].map(([key, { firstSeen, marks }]) => [key, readClock(firstSeen, marks)])),
    start(started) {
      for (const [key, { marks }] of started) {
        const known = rows.get(key);
        const text = marksText(marks.filter(({ name }) => name !== SEEN));
        const firstSeen = known?.firstSeen ?? seenAt(marks) ?? Number.NaN;
        rows.set(key, { firstSeen, marks: `${known?.marks ?? ''}${text}` });
      }
    },
  };
}

function aManifest(): Place {
  let sheet = '';
  return {
    read: () => clocksOfSheet(sheet),
    start(started) {
      sheet += sheetOf([...started].map(([key, { marks }]) => [key, marks]));
    },
  };
}

/** One push or re-judging: of which image (rebuilt, retagged, copied), in which repository, on which day, with what found. */
const event = fc.record({
  repository: fc.nat(1),
  image: fc.nat(2),
  days: fc.nat(20),
  found: findings,
});

export const laws: readonly Law[] = [
  {
    number: 8,
    says: 'clocks never move later: not by rebuilding, retagging, copying, deleting and pushing again, nor by judging again',
    property: () =>
      fc.property(fc.array(event, { minLength: 2, maxLength: 6 }), policies, (events, policy) => {
        const repositories = [aRepository(), aRepository()];
        const manifests = [aManifest(), aManifest(), aManifest()];
        const before = new Map<string, Clock>();
        let now = NOW;
        for (const { repository, image, days, found } of events) {
          now += days * DAY;
          const [place, manifest] = [repositories[repository], manifests[image]];
          if (!place || !manifest) throw new Error('no such place');
          const partsOf = createClockedParts([policy], undefined);
          const running = { repository: place.read(), image: manifest.read(), partsOf };
          const reckoning = reckon(found, running, now);
          place.start(reckoning.newInRepository);
          manifest.start(reckoning.newInImage);
          for (const [was, is] of [
            [running.repository, place.read()],
            [running.image, manifest.read()],
          ] as const)
            for (const [key, clock] of was) notLater(clock, is.get(key));
          for (const [key, clock] of reckoning.clocks) {
            // No later than the place knew it, nor than the last time this image was looked at in this repository.
            const pair = `${repository} ${image} ${key}`;
            for (const known of [running.repository.get(key), running.image.get(key), before.get(pair)])
              if (known) notLater(known, clock);
            notAhead(clock, now);
            before.set(pair, clock);
          }
          // What was written down says the same when it is read again, and gives the same verdict.
          const again = reckon(found, { repository: place.read(), image: manifest.read(), partsOf }, now + DAY);
          if (again.newInRepository.size + again.newInImage.size > 0) throw new Error('started twice');
          const input = anInput({ findings: found, policy, now });
          const [one, other] = [reckoning, again].map(({ clocks }) => JSON.stringify(judge({ ...input, clocks })));
          if (one !== other) throw new Error('read again it gives another verdict');
        }
      }),
  },
];

function notLater(before: Clock, after: Clock | undefined): void {
  if (!after) throw new Error('a clock was forgotten');
  for (const part of ['firstSeen', ...CLOCKED] as const) {
    const known = before[part];
    if (known !== undefined && !((after[part] ?? Infinity) <= known)) throw new Error(`${part} moved later`);
  }
  for (const { threshold, above, at } of before.scores ?? [])
    if (!after.scores?.some((mark) => mark.threshold === threshold && mark.above === above && mark.at <= at))
      throw new Error('a score was forgotten');
}

function notAhead(clock: Clock, now: number): void {
  for (const part of ['firstSeen', ...CLOCKED] as const)
    if ((clock[part] ?? now) > now) throw new Error(`${part} is ahead`);
}
