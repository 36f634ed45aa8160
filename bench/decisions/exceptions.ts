import { performance } from 'node:perf_hooks';
import { batches } from '../../src/db/batches.ts';
import type { Db } from '../../src/db/database.ts';
import type { NewRow } from '../../src/db/schema.ts';
import { parseDigest } from '../../src/oci/digest.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Caller, ManifestSubject } from '../../src/registry/ports.ts';
import type { Verdicts } from '../../src/verdicts/verdicts.ts';
import { median } from '../figures.ts';

interface World {
  readonly db: Db;
  readonly verdicts: Pick<Verdicts, 'gate'>;
}

const EXCEPTIONS = 10_000;
const PULLED = 100;
/** A kept answer takes hundredths of a millisecond: enough of them that a collection of the heap is no tenth of all. */
const TURNS = 1000;
const PAIRS = 5;
const puller: Caller = { name: 'dev', may: () => true, bypassesGate: false };

/**
 * How much slower the gate answers when ten thousand exceptions are granted in the project: for verdicts that are kept, and for
 * those that have to be judged anew first. Each time with and without them in turn.
 */
export const exceptionsRow = {
  name: 'exceptions',
  async measure({ db, verdicts }: World) {
    const { subjects, projectId } = await pulledOf(db);
    const times = { kept: [[], []] as [number[], number[]], anew: [[], []] as [number[], number[]] };
    const reading: number[] = [];
    for (let pair = 0; pair < PAIRS; pair += 1)
      for (const granted of [0, 1] as const) {
        if (granted === 1) await grantMany(db, projectId);
        await makeStale(db, subjects);
        // The first to be judged reads them all, for those that follow.
        const began = performance.now();
        await askAll(verdicts, subjects.slice(0, 1), 1);
        if (granted === 1) reading.push(performance.now() - began);
        await askAll(verdicts, subjects, 1);
        times.kept[granted].push(await askAll(verdicts, subjects, TURNS));
        await makeStale(db, subjects);
        times.anew[granted].push(await askAll(verdicts, subjects, 1));
        if (granted === 1) await db.deleteFrom('exceptions').where('id', 'like', 'bench-%').execute();
      }
    const what = `gate with ${EXCEPTIONS} exceptions`;
    return [
      { what: `${what}: slower, kept verdicts`, value: slower(times.kept), unit: '%' as const, goal: 5 },
      { what: `${what}: slower, judged anew`, value: slower(times.anew), unit: '%' as const, goal: 5 },
      { what: `${what}: an answer, kept verdict`, value: median(times.kept[1]), unit: 'ms' as const },
      { what: `${what}: an answer, judged anew`, value: median(times.anew[1]), unit: 'ms' as const },
      { what: `${what}: the first answer after they changed`, value: median(reading), unit: 'ms' as const },
    ];
  },
};

/** Images of the project that has most. */
async function pulledOf(
  db: Db,
): Promise<{ readonly subjects: readonly ManifestSubject[]; readonly projectId: string }> {
  const rows = await db
    .selectFrom('manifests as m')
    .innerJoin('repositories as r', 'r.id', 'm.repository_id')
    .select(['r.id', 'r.name', 'r.project_id', 'm.digest'])
    .where('m.kind', '=', 'image')
    .orderBy('r.project_id')
    .orderBy('m.digest')
    .execute();
  const [most] = [...Map.groupBy(rows, ({ project_id }) => project_id)].sort(([, a], [, b]) => b.length - a.length);
  if (!most) throw new Error('nothing is stored that could be pulled');
  const [projectId, images] = most;
  const subjects = images.slice(0, PULLED).map(({ id, name, digest }) => ({
    repositoryId: id,
    repository: name,
    digest: parseDigest(digest),
    kind: 'image' as const,
  }));
  return { subjects, projectId };
}

/** Gives the milliseconds of one answer. */
async function askAll(
  verdicts: World['verdicts'],
  subjects: readonly ManifestSubject[],
  turns: number,
): Promise<number> {
  const began = performance.now();
  for (let turn = 0; turn < turns; turn += 1)
    for (const subject of subjects) await verdicts.gate.decide(subject, puller);
  return (performance.now() - began) / (turns * subjects.length);
}

/** As a change of exceptions does. */
async function makeStale(db: Db, subjects: readonly ManifestSubject[]): Promise<void> {
  const digests = subjects.map(({ digest }) => digest);
  await db.updateTable('verdicts').set({ changes_at: -1 }).where('digest', 'in', digests).execute();
}

async function grantMany(db: Db, projectId: string): Promise<void> {
  const now = systemClock.now();
  const rows = Array.from(
    { length: EXCEPTIONS },
    (_, at): NewRow<'exceptions'> => ({
      id: `bench-${at}`,
      project_id: projectId,
      vulnerability: `CVE-2099-${at}`,
      package: at % 2 === 0 ? 'openssl' : null,
      package_type: at % 2 === 0 ? 'deb' : null,
      version: null,
      repository_glob: at % 3 === 0 ? 'team-*/**' : null,
      digest: null,
      reason: 'benchmark',
      ticket: null,
      state: 'granted',
      requested_by: 'bench',
      requested_at: now,
      decided_by: 'other',
      decided_at: now,
      decision_reason: 'benchmark',
      single_handed: 0,
      valid_from: now,
      until: now + 86_400_000,
    }),
  );
  for (const batch of batches(rows, 500)) await db.insertInto('exceptions').values(batch).execute();
}

/** Per cent by which the second is slower, of the least of each: whatever else the machine does only adds to it. */
function slower([without, withThem]: [number[], number[]]): number {
  return (Math.min(...withThem) / Math.min(...without) - 1) * 100;
}
