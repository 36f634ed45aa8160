import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabaseAt } from '../../test/support/engines.ts';
import type { Principal } from '../auth/principal.ts';
import { createExceptionStore } from '../exceptions/exception-store.ts';
import { exceptionDeps } from '../exceptions/testing.ts';
import { createLedger } from '../ledger/ledger.ts';
import { systemClock } from '../platform/clock.ts';
import { createPolicyStore } from '../projects/policy-store.ts';
import { buildAdvisoryDatabase } from '../scanner/advisories/build.ts';
import { openAdvisoryDatabase } from '../scanner/advisories/database.ts';
import type { AdvisoryDatabase } from '../scanner/advisories/types.ts';
import { type ComputedMany, computeAgain, createManyMemory } from '../verdicts/judge-many.ts';
import { asSubject, selectSubjects } from '../verdicts/subjects.ts';
import { createWorld, gated } from '../verdicts/world.testing.ts';
import { createApart } from './apart.ts';
import { createPacker, createUnpacker } from './packed-many.ts';
import { sourcesOver } from './sources.ts';

const HOSTS = ['registry.example.com'];
const eva: Principal = { kind: 'user', id: 'eva', name: 'eva', admin: true };
const tom: Principal = { kind: 'user', id: 'tom', name: 'tom', admin: true };
const front = { id: 'front', name: 'front' };
const VULNERABILITY = 'CVE-2021-42374';

let folder: string;
let database: AdvisoryDatabase;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-apart-'));
  const from = join(import.meta.dirname, '../scanner/advisories/testdata/feeds');
  const out = join(folder, 'advisories.sqlite');
  await buildAdvisoryDatabase({ from, out, clock: systemClock });
  database = openAdvisoryDatabase(out);
});
afterAll(async () => {
  database.close();
  await rm(folder, { recursive: true });
});

describe.each(ENGINES)('verdicts computed in another process on %s', (engine) => {
  it('are those computed here, also after exceptions and policies changed', { timeout: 60_000 }, async () => {
    const { handle, location } = await freshDatabaseAt(engine, folder);
    const { db } = handle;
    const sources = sourcesOver(db, { state: handle.state, hosts: HOSTS, advisories: () => database });
    const world = await createWorld(handle, sources);
    const apart = createApart({ location, handle, hosts: HOSTS, advisories: { current: () => database } });
    const ledger = createLedger({ db, clock: systemClock });
    const exceptions = createExceptionStore({
      db,
      clock: systemClock,
      ledger,
      fourEyes: true,
      ...exceptionDeps(handle),
    });
    const policies = createPolicyStore({ db, clock: systemClock, ledger });
    const run = apart.begin('policy', 0);
    const memory = createManyMemory();

    async function both() {
      const subjects = (await selectSubjects(db).orderBy('m.digest').execute()).map(asSubject);
      const there = await run.compute(subjects);
      const here = listed(await computeAgain(sources, subjects, 'policy', memory));
      return { there, here, holds: there.holds };
    }

    try {
      for (const release of ['3.20.1', '3.19.1'])
        for (const version of ['1.27.2-r0', '1.33.0-r5', '1.36.1-r0'])
          await world.push('front/app', [
            { distribution: release, packages: [`busybox@${version}`, 'npm:lodash@4.17.20'] },
          ]);
      const first = await both();
      expect(first.here.replacements).toHaveLength(6);
      expect(first.here.replacements.some(({ found }) => found.length > 0)).toBe(true);
      expect(timeless(first.there)).toEqual(timeless(first.here));

      const low = { fixable: 'low', unfixable: 'low' } as const;
      const document = { ...gated, block: low, warn: low };
      await policies.set(eva, front, document, { reason: 'a test' });
      const stricter = await both();
      expect(stricter.here.replacements.some(({ verdict }) => verdict.kind === 'block')).toBe(true);
      expect(stricter.here.replacements.some(({ change }) => change)).toBe(true);
      expect(timeless(stricter.there)).toEqual(timeless(stricter.here));

      const until = systemClock.now() + 10 * 86_400_000;
      const { id } = await exceptions.request(eva, front, { vulnerability: VULNERABILITY, reason: 'r', until });
      await exceptions.grant(tom, front, id, { reason: 'ok' });
      // Only where this process alone writes it can tell.
      if (engine === 'sqlite') expect(stricter.holds?.()).toBe(false);
      else expect(stricter.holds).toBeUndefined();
      const excepted = await both();
      expect(JSON.stringify(excepted.here)).toContain(id);
      expect(timeless(excepted.there)).toEqual(timeless(excepted.here));
      expect(excepted.holds?.()).not.toBe(false);

      run.forget();
      expect(timeless(await run.compute(excepted.here.subjects))).toEqual(timeless(excepted.here));
    } finally {
      await apart.close();
      await world.verdicts.close();
      await handle.close();
    }
  });
});

/** With what the list of findings takes of lines. */
function listed(computed: ComputedMany): ComputedMany {
  return createUnpacker()(createPacker()(computed));
}

/** Without the moments at which it was computed, and the numbers of events. */
function timeless({ replacements }: { readonly replacements: readonly object[] }): unknown {
  const text = JSON.stringify(replacements, (_key, value: unknown) => (value instanceof Map ? [...value] : value));
  return JSON.parse(text.replaceAll(/evt_[0-9a-f-]{36}/g, 'event').replaceAll(/\b1[789]\d{11}\b/g, '0')) as unknown;
}
