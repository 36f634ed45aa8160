import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Verdict } from '../../src/model/verdict.ts';
import { judge } from '../../src/policy/judge.ts';
import { DAY, inputs, NOW } from '../../src/policy/judging.testing.ts';
import type { Law } from './law.ts';

const FAR = 4000 * DAY;

function said({ kind, counts, reasons }: Verdict): unknown {
  return { kind, counts, reasons };
}

export const laws: readonly Law[] = [
  {
    number: 4,
    says: 'changesAt is exact: nothing changes before it, something does at it',
    property: () =>
      fc.property(inputs, fc.double({ min: 0, max: 1, noNaN: true }), (input, part) => {
        const verdict = judge(input);
        const until = verdict.changesAt ?? NOW + FAR;
        if (until <= NOW) throw new Error('it changes in the past');
        for (const now of [until - 1, NOW + Math.floor((until - 1 - NOW) * part)])
          if (!isDeepStrictEqual({ ...judge({ ...input, now }), judgedAt: NOW }, verdict))
            throw new Error(`it changed before, ${now - NOW} ms ahead`);
        if (verdict.changesAt === undefined) return;
        if (isDeepStrictEqual(said(judge({ ...input, now: verdict.changesAt })), said(verdict)))
          throw new Error('nothing changed at it');
      }),
  },
];
