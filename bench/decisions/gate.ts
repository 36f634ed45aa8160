import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { parseDigest } from '../../src/oci/digest.ts';
import type { Caller, ManifestSubject } from '../../src/registry/ports.ts';
import type { World } from './world.ts';

export const somePuller: Caller = { name: 'dev', may: () => true, bypassesGate: false };
/** Images that are pulled over and over. */
const PULLED = 200;

/** Images that can be pulled, from all over the registry. */
export async function pullable({ db }: Pick<World, 'db'>, most = PULLED): Promise<readonly ManifestSubject[]> {
  const rows = await db
    .selectFrom('manifests as m')
    .innerJoin('repositories as r', 'r.id', 'm.repository_id')
    .select(['r.id', 'r.name', 'm.digest'])
    .where('m.kind', '=', 'image')
    .orderBy('m.digest')
    .limit(most)
    .execute();
  return rows.map(({ id, name, digest }) => ({
    repositoryId: id,
    repository: name,
    digest: parseDigest(digest),
    kind: 'image' as const,
  }));
}

/** Asks the gate without a pause worth the name until `stop` settles; gives how long each answer took, in ms. */
export async function askGate(
  { verdicts }: Pick<World, 'verdicts'>,
  subjects: readonly ManifestSubject[],
  stop: Promise<unknown>,
): Promise<readonly number[]> {
  const times: number[] = [];
  const state = { stopped: false };
  const end = (): void => {
    state.stopped = true;
  };
  stop.then(end, end);
  for (let at = 0; !state.stopped; at += 1) {
    const subject = subjects[at % subjects.length];
    if (!subject) throw new Error('nothing is stored that could be pulled');
    const began = performance.now();
    await verdicts.gate.decide(subject, somePuller);
    times.push(performance.now() - began);
    await delay(1);
  }
  return times;
}
