import { createApart } from '../apart/apart.ts';
import { nameOf, SYSTEM } from '../auth/principal.ts';
import { capabilitiesOf } from '../db/capabilities.ts';
import { tellEndingExceptions } from '../exceptions/ending.ts';
import { fillFindings } from '../findings/fill.ts';
import { forgetUnheld } from '../findings/forget.ts';
import { createJobQueue, type JobQueue } from '../jobs/queue.ts';
import { messageOf } from '../platform/errors.ts';
import { keepTrying } from '../platform/keep-trying.ts';
import { applyQuarantines } from '../quarantine/apply.ts';
import type { IngestObserver } from '../registry/ports.ts';
import { purgeUploads } from '../registry/upload-sessions.ts';
import { changedKeys, installSnapshot } from '../scanner/advisories/index.ts';
import { createLayerAnalyser as createWorkers } from '../scanner/analyser.ts';
import { noteAdvisoryVersion } from '../verdicts/advisory-versions.ts';
import { createLayerAnalyser } from '../verdicts/layer-analyser.ts';
import { createVerdicts, type Verdicts } from '../verdicts/verdicts.ts';
import { createVex, type Vex } from '../vex/vex.ts';
import type { NotifyParts } from './notify.ts';
import { databaseLocation, type Services } from './services.ts';
import { createVexObserver } from './vex-observer.ts';

const INSTALL_AGAIN_MS = 30_000;
const FILL_AGAIN_MS = 30_000;
/** How long analyses may go on once the server is to stop. */
const GIVE_UP_MS = 5000;
const TRASH_MS = 24 * 3600 * 1000;

export interface JudgingParts {
  readonly verdicts: Verdicts;
  readonly vex: Vex;
  /** Told what was stored: verdicts, then VEX that is attached. */
  readonly ingest: IngestObserver;
  readonly jobs: JobQueue;
  /** Installs the shipped advisories where there are none, takes up what was left, and begins to work. */
  start(): Promise<void>;
  /** Takes no more jobs, and gives up what is being analysed when it takes longer: the next start takes it up. */
  giveUpSoon(): void;
  close(): Promise<void>;
}

/** Verdicts with what drives them: analysis workers, the job queue, schedules, new advisories. */
export function createJudgingParts(
  services: Services,
  hosts: readonly string[],
  told: Pick<NotifyParts, 'blockedPulls' | 'schedules'>,
): JudgingParts {
  const { db, clock, logger, config, blobs, advisories } = services;
  const workers = createWorkers({ workers: config.analysisWorkers });
  const analyser = createLayerAnalyser(workers);
  const handlers = new Map<string, (payload: unknown) => Promise<void>>();
  const jobs = createJobQueue({
    db,
    clock,
    logger,
    capabilities: capabilitiesOf(services.handle.engine),
    handlers,
    schedules: [
      { kind: 'rejudge-due', everySeconds: 60, handler: async () => void (await verdicts.rejudgeDue()) },
      {
        kind: 'exception-ends',
        everySeconds: 60,
        handler: async () => void (await tellEndingExceptions({ db, clock })),
      },
      { kind: 'lapse-trust', everySeconds: 60, handler: async () => void (await services.trust.lapseOverdue()) },
      { kind: 'apply-quarantines', everySeconds: 60, handler: applyUnapplied },
      { kind: 'forget-findings', everySeconds: 3600, handler: async () => void (await forgetUnheld(db)) },
      ...told.schedules,
      { kind: 'purge-uploads', everySeconds: 3600, handler: async () => void (await purgeUploads({ ...services })) },
      {
        kind: 'empty-trash',
        everySeconds: 3600,
        handler: async () => void (await blobs.emptyTrash(clock.now() - TRASH_MS)),
      },
    ],
  });
  const vex = createVex({ ...services, state: services.handle.stateOf('vex_documents', 'vex_authors'), hosts });
  const apart = createApart({ location: databaseLocation(config), handle: services.handle, hosts, advisories });
  const verdicts = createVerdicts({
    db,
    state: services.handle.state,
    blobs,
    clock,
    logger,
    analyser,
    advisories,
    policies: services.policies,
    exceptions: services.exceptions,
    vex: vex.source,
    quarantines: services.quarantine,
    jobs,
    ledger: services.ledger,
    blockedPulls: told.blockedPulls,
    hosts,
    apart,
    budgetMs: config.verdictBudgetMs,
  });
  vex.follow({
    mark: (tx, change) => verdicts.markForVex(tx, change),
    renew: (change) => verdicts.onVexChanged(change),
  });
  const attached = createVexObserver({ vex, jobs, logger, next: verdicts.ingest });
  for (const [kind, handler] of [...verdicts.jobHandlers, ...attached.jobHandlers]) handlers.set(kind, handler);

  function applyUnapplied(): Promise<void> {
    const { quarantines } = services;
    return applyQuarantines({ db, quarantines, rejudge: (manifests) => verdicts.onQuarantineChanged(manifests) });
  }

  const stopListening = advisories.onChange(({ database, previous }) => {
    const change = {
      next: database.version,
      ...(previous ? { previous: previous.version } : {}),
      ...changedKeys(previous, database),
    };
    verdicts.onAdvisoriesChanged(change).then(
      (result) => logger.info({ version: database.version, ...result }, 'judged again after new advisories'),
      (error: unknown) => logger.error({ err: error }, 'could not judge again after new advisories'),
    );
  });

  const stopping = new AbortController();
  let installing: Promise<void> | undefined;
  let filling: Promise<void> | undefined;
  let givingUp: NodeJS.Timeout | undefined;

  function notInstalled(error: unknown): void {
    logger.error({ error: messageOf(error) }, 'the shipped advisories could not be installed');
  }

  async function installShipped(): Promise<void> {
    await installSnapshot(advisories);
    // Also one that was put into the data folder while no server ran.
    const database = advisories.current();
    if (database) await noteAdvisoryVersion(db, database, { by: nameOf(SYSTEM), at: clock.now() });
  }

  async function fillList(): Promise<void> {
    const listed = await fillFindings(db, stopping.signal);
    if (listed > 0) logger.info({ manifests: listed }, 'listed the findings of verdicts that were kept before');
  }

  return {
    verdicts,
    vex,
    ingest: attached.observer,
    jobs,
    async start() {
      await installShipped().catch((error: unknown) => {
        notInstalled(error);
        // Also later, when there is room for them again.
        installing ??= keepTrying(installShipped, {
          everyMs: INSTALL_AGAIN_MS,
          signal: stopping.signal,
          onFailure: notInstalled,
        });
      });
      await applyUnapplied();
      if (!config.backgroundWork || stopping.signal.aborted) return;
      filling = keepTrying(fillList, {
        everyMs: FILL_AGAIN_MS,
        signal: stopping.signal,
        onFailure: (error) =>
          logger.warn({ error: messageOf(error) }, 'findings of older verdicts could not be listed yet'),
      });
      // Counted before the first job runs: it may be one of them.
      const left = await verdicts.resume();
      await jobs.start();
      if (left > 0) logger.info({ manifests: left }, 'took up what was left unjudged');
    },
    giveUpSoon() {
      stopping.abort();
      // Told a moment before, so that what is given up goes back into the queue.
      void jobs.stop(GIVE_UP_MS - 100);
      givingUp = setTimeout(() => workers.giveUp(), GIVE_UP_MS);
    },
    async close() {
      stopping.abort();
      stopListening();
      await filling;
      await jobs.stop();
      await verdicts.close();
      await apart.close();
      clearTimeout(givingUp);
      await workers.close();
      advisories.close();
    },
  };
}
