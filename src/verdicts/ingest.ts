import type { Db } from '../db/database.ts';
import type { Verdict } from '../model/verdict.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { within } from '../platform/within.ts';
import { headerText, warningText } from '../policy/messages.ts';
import { manifestParents } from '../registry/manifest-reader.ts';
import type { IngestObserver, ManifestSubject } from '../registry/ports.ts';
import { isDisguisedImage } from './disguise.ts';
import { ensureInventory, type ImageInventoryDeps } from './image-inventory.ts';
import type { Judging } from './judging.ts';
import type { Again } from './layer-analyses.ts';
import type { Cause, JobSink } from './ports.ts';
import { findSubject, imageName, type Subject, subjectKey } from './subjects.ts';

/** Kind of the job that judges one manifest whose verdict was not there in time. */
export const JUDGE_JOB = 'judge-manifest';

/** Smaller blobs are not analysed before a manifest asks for them. Bytes. */
const SMALLEST_AHEAD = 16 * 1024;

export interface IngestDeps extends ImageInventoryDeps {
  readonly judging: Judging;
  readonly jobs: JobSink;
  readonly logger: Logger;
  readonly budgetMs: number;
}

/** From stored bytes to verdicts. */
export interface Ingest {
  readonly observer: IngestObserver;
  /** Analyses and judges a manifest and then the indexes that list it. One run at a time for each manifest. */
  process(subject: Subject): Promise<Verdict>;
  /** The same for an image whose layers are to be read again. */
  rescan(subject: Subject, again: Again): Promise<void>;
  /** Waits until nothing is under way. */
  idle(): Promise<void>;
}

export function createIngest(deps: IngestDeps): Ingest {
  const { db, logger } = deps;
  const processing = new Map<string, Promise<Verdict>>();
  const analysing = new Set<Promise<unknown>>();

  function process(subject: Subject): Promise<Verdict> {
    const key = subjectKey(subject);
    const running = processing.get(key);
    if (running) return running;
    const started = processNow(deps, subject).finally(() => processing.delete(key));
    processing.set(key, started);
    return started;
  }

  async function manifestStored(stored: Pick<ManifestSubject, 'repositoryId' | 'digest' | 'reference'>) {
    const subject = await findSubject(db, stored.repositoryId, stored.digest);
    if (!subject) return { warnings: [] };
    const { reference } = stored;
    const name = await imageName(db, { ...subject, ...(reference === undefined ? {} : { reference }) });
    try {
      const verdict = await within(process(subject), deps.budgetMs);
      if (verdict) return { warnings: verdict.kind === 'allow' ? [] : [warningText(verdict, name)] };
      await enqueueJudging(deps.jobs, subject);
      return { warnings: [headerText(`${name} is still being analysed; see: breakwater verdict ${name}`)] };
    } catch (error) {
      logger.error({ err: error, repository: subject.repository, digest: subject.digest }, 'image could not be judged');
      await enqueueJudging(deps.jobs, subject);
      return { warnings: [headerText(`${name} could not be judged: ${messageOf(error)}`)] };
    }
  }

  return {
    process,
    async rescan(subject, again) {
      await processNow(deps, subject, again);
    },
    observer: {
      blobCommitted({ digest, size }) {
        // Configurations are that small; a layer as small is analysed in no time when its manifest comes.
        if (size < SMALLEST_AHEAD) return;
        const analysis = deps.layers.evidenceOf({ digest, size }).then(
          () => undefined,
          // The manifest that needs this layer tries again and reports it.
          (error: unknown) => logger.warn({ err: error, digest }, 'layer could not be analysed'),
        );
        analysing.add(analysis);
        void analysis.then(() => analysing.delete(analysis));
      },
      manifestStored,
    },
    async idle() {
      while (processing.size + analysing.size > 0) await Promise.allSettled([...processing.values(), ...analysing]);
    },
  };
}

/** Puts a manifest on the list of what is to be judged, once. */
export async function enqueueJudging(jobs: JobSink, subject: Pick<Subject, 'repositoryId' | 'digest'>): Promise<void> {
  const { repositoryId, digest } = subject;
  await jobs.enqueue({ kind: JUDGE_JOB, key: subjectKey(subject), payload: { repositoryId, digest } });
}

async function processNow(deps: IngestDeps, stored: Subject, again?: Again): Promise<Verdict> {
  const subject = await unmask(deps, stored);
  const { renewed, made } = subject.kind === 'image' ? await ensureInventory(deps, subject, again) : { renewed: false };
  if (made) deps.judging.remember(made);
  const cause = renewed || again ? 'analyser' : 'push';
  const { verdict } = await deps.judging.judgeNow(subject, cause);
  await judgeParents(deps, subject, cause);
  return verdict;
}

/** The subject; an image that was pushed under the types of an artifact is one from now on. */
async function unmask(deps: IngestDeps, subject: Subject): Promise<Subject> {
  if (subject.kind !== 'artifact' || !(await isDisguisedImage(deps, subject))) return subject;
  await deps.db
    .updateTable('manifests')
    .set({ kind: 'image' })
    .where('repository_id', '=', subject.repositoryId)
    .where('digest', '=', subject.digest)
    .execute();
  return { ...subject, kind: 'image' };
}

/** An index is about its children: one that is judged already is judged anew when one of them is. */
async function judgeParents(
  deps: { readonly db: Db; readonly judging: Judging },
  subject: Subject,
  cause: Cause,
): Promise<void> {
  for (const digest of await manifestParents(deps.db, subject.repositoryId, subject.digest)) {
    const parent = await findSubject(deps.db, subject.repositoryId, digest);
    if (!parent) continue;
    await deps.judging.judgeNow(parent, cause);
    await judgeParents(deps, parent, cause);
  }
}
