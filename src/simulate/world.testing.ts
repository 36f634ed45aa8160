import { SYSTEM } from '../auth/principal.ts';
import type { SeenImage } from '../cluster/audit-store.ts';
import { createClusterAuditStore } from '../cluster/audit-store.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { createLedger } from '../ledger/ledger.ts';
import type { Digest } from '../oci/digest.ts';
import type { Policy } from '../policy/policy.ts';
import { createPolicyStore } from '../projects/policy-store.ts';
import { createQuarantineAnswers } from '../quarantine/answers.ts';
import { createWorld, NOW } from '../verdicts/world.testing.ts';
import type { Question } from './question.ts';
import { type SimulateDeps, simulate } from './simulate.ts';

export const HOST = 'registry.example.com';
type Place = Partial<Omit<SeenImage, 'cluster' | 'firstSeen' | 'lastSeen'>> & { readonly image: string };

/** A registry's content as in the tests of verdicts, with what runs and what is trusted, that can be asked what would be. */
export async function createSimulatedWorld(handle: DatabaseHandle) {
  const held: { clock?: { now(): number } } = {};
  const clock = { now: () => held.clock?.now() ?? NOW };
  const policies = createPolicyStore({ db: handle.db, clock, ledger: createLedger({ db: handle.db, clock }) });
  const world = await createWorld(handle, { policies });
  held.clock = world.clock;
  const cluster = createClusterAuditStore({ db: handle.db });
  const trusted: { entry: string; state: string; reviewDue: number }[] = [];

  const deps = (): SimulateDeps => ({
    db: handle.db,
    clock: world.clock,
    hosts: [HOST],
    cluster,
    trust: { list: async () => trusted },
    advisories: { current: () => world.state.advisories },
    policies,
    exceptions: { granted: async (id) => (id === 'front' ? world.state.exceptions : []) },
    vex: { mark: async (_place, findings) => findings },
    quarantines: createQuarantineAnswers({ db: handle.db, state: handle.state }),
  });

  return {
    ...world,
    get verdicts() {
      return world.verdicts;
    },
    trusted,
    policies,
    /** Puts a whole policy in place, of a project or of the installation, and judges by it. */
    async setPolicy(owner: 'front' | 'back' | 'installation', policy: Policy): Promise<void> {
      const where = owner === 'installation' ? owner : { id: owner, name: owner };
      await policies.set(SYSTEM, where, policy, { reason: 'a test' });
      if (owner === 'installation') await world.verdicts.rejudgeAll('policy');
      else await world.verdicts.rejudgeProject(owner, 'policy');
    },
    /** Has an audit see these containers. */
    async run(places: readonly Place[]): Promise<void> {
      await cluster.recordAudit({
        cluster: 'east',
        startedAt: NOW,
        finishedAt: world.clock.now(),
        objects: places.length,
        violations: [],
        running: places.map((place, at) => ({
          namespace: 'shop',
          kind: 'Deployment',
          name: `app-${at}`,
          container: 'main',
          ...place,
        })),
        incomplete: [],
      });
    },
    simulate: (question: Question, more: Partial<SimulateDeps> = {}) => simulate({ ...deps(), ...more }, question),
    /** The decisions that pulls get now, by repository and digest. */
    async decisions(): Promise<ReadonlyMap<string, string>> {
      const rows = await handle.db
        .selectFrom('manifests as m')
        .innerJoin('repositories as r', 'r.id', 'm.repository_id')
        .select(['r.name', 'm.digest'])
        .execute();
      const decisions = new Map<string, string>();
      for (const { name, digest } of rows) {
        const verdict = await world.verdicts.verdictFor(name, digest as Digest);
        if (verdict) decisions.set(`${name}@${digest}`, verdict.kind);
      }
      return decisions;
    },
  };
}

export type SimulatedWorld = Awaited<ReturnType<typeof createSimulatedWorld>>;
