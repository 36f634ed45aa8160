import type { Db } from '../db/database.ts';
import type { ExceptionStore } from '../exceptions/exception-store.ts';
import { type Inventory, SYSTEM_PACKAGE_TYPES } from '../model/inventory.ts';
import { projectOf } from '../model/project-name.ts';
import type { Digest } from '../oci/digest.ts';
import { manifestBlobs, manifestChildren } from '../registry/manifest-reader.ts';
import type { AdvisoryDatabase, AdvisoryStore } from '../scanner/advisories/types.ts';
import { createUpgradeVersions } from '../scanner/matcher/upgrade-versions.ts';
import { VerdictError } from '../verdicts/errors.ts';
import { evaluate, inventoryFacts } from '../verdicts/evaluate.ts';
import { findSubject, type Subject } from '../verdicts/subjects.ts';
import type { Verdicts } from '../verdicts/verdicts.ts';
import type { Advice } from './advice.ts';
import { type BaseImage, baseOf, nameToBuildOn, othersOf } from './base-images.ts';
import { withinLimits } from './latest-end.ts';
import { advise, type Rebased } from './plan.ts';
import { rebuiltOn, rewritesDatabase } from './rebase.ts';
import { blocking, type Matching, type Situation, verdictIn } from './situation.ts';

export interface AdvisorDeps {
  readonly db: Db;
  readonly advisories: Pick<AdvisoryStore, 'current'>;
  readonly verdicts: Pick<Verdicts, 'inputOf' | 'inventoryOf' | 'verdictFor' | 'stacked'>;
  /** Which ends of exceptions are accepted. */
  readonly exceptions: Pick<ExceptionStore, 'latestEnd'>;
}

/** An image, all its verdict depends on, and what unblocks it. */
export interface AdvisedImage extends Situation {
  readonly subject: Subject;
  /** Of an image in an index, where that says so. */
  readonly platform?: string;
  readonly advice: Advice;
}

/** Finds out what unblocks stored images. */
export interface Advisor {
  /**
   * The image itself, or those that an index lists, with advice on each that is blocked. Other images are only named out of
   * projects for which `mayRead` holds. Images that are not analysed yet are left out.
   */
  adviseOn(subject: Subject, mayRead: (project: string) => boolean): Promise<readonly AdvisedImage[]>;
}

/** Bases put under the application's layers: the best of those that were looked at. */
const MOST_BASES = 3;
/** Platforms of an index. */
const MOST_IMAGES = 20;

export function createAdvisor({ db, advisories, verdicts, exceptions }: AdvisorDeps): Advisor {
  const known = new WeakMap<AdvisoryDatabase, Matching['upgradeVersions']>();

  function matchingNow(): Matching {
    const database = advisories.current();
    const upgradeVersions = database && (known.get(database) ?? createUpgradeVersions(database));
    if (database && upgradeVersions) known.set(database, upgradeVersions);
    return {
      evaluate: (inventory) => evaluate(inventory, database),
      upgradeVersions: upgradeVersions ?? (() => []),
      assessments: new Map(),
    };
  }

  async function adviseOnImage(subject: Subject, mayRead: (project: string) => boolean): Promise<AdvisedImage[]> {
    const situation = await verdicts.inputOf(subject);
    if (!situation) return [];
    const matching = matchingNow();
    const isBlocked = verdictIn(situation, matching).kind === 'block';
    const rebased = isBlocked ? await rebasedOf(subject, situation, matching, mayRead) : [];
    const place = { id: subject.projectId, name: projectOf(subject.repository) };
    const advice = await withinLimits(
      advise(situation, rebased, matching),
      ({ kind: _kind, until: _until, fixed: _fixed, ...asked }) => exceptions.latestEnd(place, asked),
      situation.input.now,
    );
    return [{ ...situation, subject, advice }];
  }

  async function rebasedOf(
    subject: Subject,
    situation: Situation,
    matching: Matching,
    mayRead: (project: string) => boolean,
  ): Promise<readonly Rebased[]> {
    const { layers } = await manifestBlobs(db, subject.repositoryId, subject.digest);
    const base = await baseOf(
      db,
      layers.map(({ digest }) => digest),
      mayRead,
    );
    if (!base) return [];
    const from = await nameToBuildOn(db, base.subject);
    const rebased: Rebased[] = [];
    for (const other of await bestOf(await othersOf(db, base), situation, matching)) {
      const inventory = await onOther(situation.inventory, base, other.image, layers);
      if (!inventory) continue;
      const part = {
        kind: 'base',
        from,
        fromDigest: base.subject.digest,
        to: await nameToBuildOn(db, other.image.subject),
        toDigest: other.image.subject.digest,
        layers: base.layers.length,
        judgedBy: inventory.judgedBy,
      } as const;
      rebased.push({ part, situation: withInventory(situation, inventory.inventory, matching) });
    }
    return rebased;
  }

  /** The other images that leave least to do, of the same distribution and architecture, and that may be pulled themselves. */
  async function bestOf(images: readonly BaseImage[], situation: Situation, matching: Matching) {
    const ranked: { readonly image: BaseImage; readonly left: number; readonly otherRelease: number }[] = [];
    for (const image of images) {
      const inventory = await verdicts.inventoryOf(image.subject.digest);
      if (!inventory || !isLike(inventory, situation.inventory)) continue;
      const verdict = verdictIn(withInventory(situation, inventory, matching), matching);
      const left = new Set(blocking(verdict).map((reason) => `${reason.package} ${reason.installed}`)).size;
      ranked.push({ image, left, otherRelease: Number(releaseOf(inventory) !== releaseOf(situation.inventory)) });
    }
    ranked.sort((a, b) => a.left - b.left || a.otherRelease - b.otherRelease);
    const best: typeof ranked = [];
    for (const one of ranked) {
      if (best.length === MOST_BASES) break;
      const { repository, digest } = one.image.subject;
      const verdict = await verdicts.verdictFor(repository, digest);
      if (verdict && verdict.kind !== 'block') best.push(one);
    }
    return best;
  }

  async function onOther(
    inventory: Inventory,
    base: BaseImage,
    other: BaseImage,
    layers: Awaited<ReturnType<typeof manifestBlobs>>['layers'],
  ): Promise<{ readonly inventory: Inventory; readonly judgedBy: 'layers' | 'packages' } | undefined> {
    const below: ReadonlySet<Digest> = new Set(base.layers);
    if (!rewritesDatabase(inventory, below)) {
      const { layers: lower } = await manifestBlobs(db, other.subject.repositoryId, other.subject.digest);
      const stack = [...lower, ...layers.slice(base.layers.length)];
      try {
        return { inventory: await verdicts.stacked(stack), judgedBy: 'layers' };
      } catch (error) {
        // A mirror may not have all of an image yet: then nothing can be said about building on it.
        if (error instanceof VerdictError) return undefined;
        throw error;
      }
    }
    const [old, next] = await Promise.all([base, other].map(({ subject }) => verdicts.inventoryOf(subject.digest)));
    return old && next && { inventory: rebuiltOn(inventory, old, next, below), judgedBy: 'packages' };
  }

  return {
    async adviseOn(subject, mayRead) {
      if (subject.kind !== 'index') return subject.kind === 'image' ? adviseOnImage(subject, mayRead) : [];
      const advised: AdvisedImage[] = [];
      const children = await manifestChildren(db, subject.repositoryId, subject.digest);
      const different = new Map(children.map((child) => [child.digest, child]));
      for (const { digest, platform } of [...different.values()].slice(0, MOST_IMAGES)) {
        const stored = await findSubject(db, subject.repositoryId, digest);
        if (stored?.kind !== 'image') continue;
        for (const one of await adviseOnImage(stored, mayRead))
          advised.push({ ...one, ...(platform === undefined ? {} : { platform }) });
      }
      return advised;
    },
  };
}

function withInventory({ input }: Situation, inventory: Inventory, matching: Matching): Situation {
  const { findings, coverage } = matching.evaluate(inventory);
  return {
    inventory,
    input: { ...input, inventory: inventoryFacts(input.inventory.hash, inventory), findings, coverage },
  };
}

/** Only what is of one distribution and architecture can take the place of another. */
function isLike(a: Inventory, b: Inventory): boolean {
  return a.distribution?.id === b.distribution?.id && architectureOf(a) === architectureOf(b);
}

function releaseOf({ distribution }: Inventory): string | undefined {
  return distribution?.codename ?? distribution?.version?.split('.').slice(0, 2).join('.');
}

/** That of most packages of the distribution. */
function architectureOf({ packages }: Inventory): string | undefined {
  const counts = new Map<string, number>();
  for (const { type, arch } of packages)
    if (SYSTEM_PACKAGE_TYPES.has(type) && arch !== undefined && arch !== 'all' && arch !== 'noarch')
      counts.set(arch, (counts.get(arch) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}
