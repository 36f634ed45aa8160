import { EVERY_PROJECT } from '../exceptions/exception.ts';
import { type LimitSource, limitsIn } from '../exceptions/limits.ts';
import type { PolicyStore } from '../projects/policy-store.ts';
import { type AdvisoryDatabase, type AdvisoryStore, type KnownAs, knownAs } from '../scanner/advisories/index.ts';

/** Ids remembered: of a large request looked up before its transaction and within it. */
const REMEMBERED = 4000;

/** How long exceptions may last: what the policy says, for the severity that the advisories know. */
export function exceptionLimits(deps: {
  readonly policies: Pick<PolicyStore, 'effectivePolicy' | 'installationPolicy'>;
  readonly advisories: Pick<AdvisoryStore, 'current'>;
}): LimitSource {
  const { policies, advisories } = deps;
  let version: string | undefined;
  let remembered = new Map<string, KnownAs>();

  async function read(database: AdvisoryDatabase, ids: readonly string[]): Promise<ReadonlyMap<string, KnownAs>> {
    if (version !== database.version || remembered.size + ids.length > REMEMBERED) remembered = new Map();
    version = database.version;
    // Another database may come meanwhile: what this one says is nothing of that one's.
    const of = remembered;
    const missing = ids.filter((id) => !of.has(id));
    for (const [id, known] of await knownAs(database, missing)) of.set(id, known);
    return of;
  }

  return {
    async limitsOf(projectId) {
      const { policy } =
        projectId === EVERY_PROJECT ? await policies.installationPolicy() : await policies.effectivePolicy(projectId);
      return limitsIn(policy);
    },
    async knownAs(ids) {
      for (;;) {
        const database = advisories.current();
        if (!database) return new Map();
        try {
          return await read(database, ids);
        } catch (error) {
          // Closed while it was read: others are current.
          if (advisories.current() === database) throw error;
        }
      }
    },
  };
}
