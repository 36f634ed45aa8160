import { join } from 'node:path';
import { createBufferedRecorder } from '../admission/recorder.ts';
import { createAdvisor } from '../advice/advisor.ts';
import { apiRoutes } from '../api/index.ts';
import { createCallers, createPrincipals } from '../auth/caller.ts';
import { nameOf, SYSTEM } from '../auth/principal.ts';
import { tokenService } from '../auth/token-service.ts';
import { bootstrapAdministrator } from '../auth/user-store.ts';
import { createAdmissionFindingStore } from '../cluster/admission-findings.ts';
import { type Config, formatAddress } from '../config.ts';
import { NOTED_TABLES } from '../db/settled-changes.ts';
import { createFeed } from '../facts/feed.ts';
import { createDownloads } from '../mirror/downloads.ts';
import { createMirror } from '../mirror/mirror.ts';
import { placeOfUpstream } from '../mirror/mirrored-address.ts';
import { createUpstreams } from '../mirror/upstreams.ts';
import { calmLogger } from '../platform/calm-logger.ts';
import { systemClock } from '../platform/clock.ts';
import { closeWithin } from '../platform/close-within.ts';
import { collectOnceSettled } from '../platform/collect-once.ts';
import { messageOf } from '../platform/errors.ts';
import { createHttpClient } from '../platform/http-client.ts';
import { keepTrying } from '../platform/keep-trying.ts';
import { createLogger } from '../platform/logger.ts';
import { VERSION } from '../platform/version.ts';
import { createReads } from '../registry/reads.ts';
import { registryRoutes } from '../registry/routes.ts';
import { createPullTimes } from '../retention/pull-times.ts';
import { createSimulator } from '../simulate/simulator.ts';
import { totalBytes } from '../usage/usage.ts';
import { noteAdvisoryVersion } from '../verdicts/advisory-versions.ts';
import { createAdvisoryRefresh } from './advisory-refresh.ts';
import { banner } from './banner.ts';
import { diskProblem } from './disk-space.ts';
import { createEvidenceFiles } from './evidence-file.ts';
import { createGarbageParts } from './garbage.ts';
import { createGarbageMetrics } from './garbage-metrics.ts';
import { openGuard } from './guard.ts';
import { createGuardAccess } from './guard-access.ts';
import { createHealthServer } from './health.ts';
import { createPublicServer } from './http-server.ts';
import { createImageFacts } from './image-facts.ts';
import { createJudgingParts } from './judging.ts';
import { MOST_SIGHTINGS_KEPT, openKeptHistory } from './kept-history.ts';
import { startChaining } from './ledger-chaining.ts';
import { createLimits } from './limits.ts';
import { createMetrics, observeRequests } from './metrics.ts';
import { createNotifyParts } from './notify.ts';
import { databaseLocation, openServices, SERVICE } from './services.ts';
import { followTrustedRepos } from './trusted-repos.ts';

const START_AGAIN_MS = 5000;
/** Pulls and pushes that go on when the server is to stop; clients take them up again. */
const CUT_OFF_MS = 15_000;

/** Runs everything in this process until it is told to stop (SIGTERM, SIGINT), then finishes what is under way. */
export async function serve(config: Config): Promise<void> {
  const stopped = stopSignal();
  const app = await start(config);
  process.stdout.write(app.banner);
  await stopped;
  process.stdout.write('Stopping: finishing what is under way.\n');
  await app.close();
}

/** Opens all parts and listens. */
async function start(config: Config): Promise<{ readonly banner: string; close(): Promise<void> }> {
  const clock = systemClock;
  const logger = calmLogger(createLogger(config.logLevel), clock);
  const services = await openServices({ config, clock, logger });
  const { db, accounts, standings, tokens, access, ledger, blobs, advisories } = services;

  const host = registryHost(config);
  const hosts = [host, ...(config.publicUrl === undefined ? [] : [formatAddress(config.listen)])];
  const metrics = createMetrics({
    advisoryBuiltAt: () => {
      const builtAt = advisories.current()?.builtAt;
      return builtAt === undefined ? undefined : Date.parse(builtAt);
    },
    now: () => clock.now(),
  });
  const limits = createLimits({ clock, logger, ledger, metrics: metrics.registry, settings: config });
  const garbageMetrics = createGarbageMetrics(metrics.registry);
  const garbage = createGarbageParts(services, garbageMetrics);
  garbageMetrics.watch({ status: () => garbage.collector.status(), usedBytes: () => totalBytes(db) });
  const pulls = createPullTimes(services);
  const notify = createNotifyParts(services, { host, metrics: metrics.registry });
  const judging = createJudgingParts(services, hosts, notify);
  const { verdicts } = judging;

  const http = createHttpClient({ userAgent: 'breakwater' });
  const refresh = createAdvisoryRefresh({
    config,
    clock,
    logger,
    http,
    advisories,
    async onInstalled({ database }) {
      await noteAdvisoryVersion(db, database, { by: nameOf(SYSTEM), at: clock.now() });
      const { version, builtAt } = database;
      const details = { builtAt, changed: true };
      await ledger.record({ actor: nameOf(SYSTEM), action: 'advisories.import', target: version, details });
    },
  });
  const downloads = createDownloads({ blobs });
  const mirror = createMirror({
    db,
    clock,
    logger,
    blobs,
    downloads,
    ingest: judging.ingest,
    upstreamFor: createUpstreams({ source: services.upstreams, http, clock }),
  });

  const feed = createFeed({ database: services.handle, clock, logger, hosts, placeOf: placeOfUpstream });
  const trusted = await followTrustedRepos({ trust: services.trust, clock, logger });
  const facts = createImageFacts({
    db,
    feed,
    state: services.handle.stateOf(...NOTED_TABLES),
    verdicts,
    clock,
    logger,
    host,
  });
  const findings = createAdmissionFindingStore({ db });
  const recorder = createBufferedRecorder({
    logger,
    keep: (rows) => findings.add(config.clusterName, rows, clock.now()),
  });
  const kept =
    config.kubeconfig === undefined
      ? undefined
      : await openKeptHistory(config.dataDir, { logger, most: MOST_SIGHTINGS_KEPT });
  const guard = await openGuard({
    config,
    clock,
    logger,
    facts,
    sink: services.cluster,
    recorder,
    ...(kept ? { history: kept.history } : {}),
    trustedRepos: trusted.repos,
    ages: { 'trusted sources': () => clock.now() - trusted.readAt() },
    as: 'part-of-server',
    metrics: metrics.registry,
  });

  const server = createPublicServer(config, logger);
  observeRequests(server, metrics.registry, 'public');
  await server.register(tokenService, { accounts, tokens, access, ledger, clock, limits });
  await server.register(registryRoutes, {
    db,
    clock,
    logger,
    blobs,
    reads: createReads(services.handle),
    ledger,
    limits,
    service: SERVICE,
    publicUrl: config.publicUrl,
    authenticate: createCallers({ accounts, tokens, standings }),
    quarantine: services.quarantine,
    gate: verdicts.gate,
    blobGate: verdicts.blobGate,
    ingest: judging.ingest,
    mirror,
    pulls,
    defaultQuota: config.projectQuota,
    onUsageBacklog: () => garbage.foldSoon(),
  });

  await server.register(apiRoutes, {
    ...services,
    version: VERSION,
    spoolDir: join(config.dataDir, 'spool'),
    principalOf: createPrincipals({ accounts }),
    limits,
    verdicts,
    vex: judging.vex,
    host,
    simulator: createSimulator({ location: databaseLocation(config), hosts, advisories }),
    advisor: createAdvisor({ db, advisories, verdicts, exceptions: services.exceptions }),
    notifications: notify.notifications,
    garbage: garbage.collector,
    retention: garbage.retention,
    defaultQuota: config.projectQuota,
    guard: createGuardAccess(guard),
    feed,
    admissionFindings: findings,
    origins: { hosts, placeOf: placeOfUpstream },
    exportEvidence: createEvidenceFiles(services, hosts),
  });

  const health = createHealthServer({
    metrics: metrics.registry,
    checks: [
      {
        name: 'database',
        severity: 'degraded',
        check: services.handle.problem,
      },
      { name: 'blobs', severity: 'degraded', check: services.blobProblem },
      { name: 'disk', severity: 'degraded', check: () => diskProblem(config.dataDir) },
      {
        name: 'advisories',
        severity: 'degraded',
        check: async () => (advisories.current() ? undefined : 'no advisory database; see: breakwater db import'),
      },
      ...guard.checks,
    ],
  });
  await server.listen(config.listen);
  await health.listen(config.metricsListen);
  // Not before everything listens: a start that fails would have made the user without showing the password.
  const first = await bootstrapAdministrator(services, config.adminPassword);
  const stopping = new AbortController();
  const { backgroundWork } = config;
  const working = keepTrying(
    () => Promise.all([judging.start(), pulls.start(), ...(backgroundWork ? [garbage.start()] : [])]),
    {
      everyMs: START_AGAIN_MS,
      signal: stopping.signal,
      onFailure: (error) =>
        logger.error({ error: messageOf(error) }, 'background work did not start; trying again in a moment'),
    },
  );
  if (backgroundWork) {
    refresh.start();
    notify.start();
  }
  const chaining = startChaining({ ledger, logger });
  const callOff = collectOnceSettled();

  return {
    banner: banner(config, first),
    async close() {
      callOff();
      stopping.abort();
      judging.giveUpSoon();
      // Else guards that wait for news would hold up the end of the server.
      feed.close();
      await closeWithin(server, CUT_OFF_MS);
      await refresh.close();
      await working;
      await mirror.drain();
      await pulls.close();
      await guard.close();
      await kept?.stop();
      await facts.close();
      await recorder.close();
      trusted.stop();
      await garbage.close();
      await judging.close();
      await notify.close();
      await health.close();
      await chaining.stop();
      await services.robotUse.close();
      await http.close();
      await services.handle.close();
      services.lock.release();
    },
  };
}

/** Host and port in references to images of this registry. */
function registryHost(config: Config): string {
  return config.publicUrl === undefined ? formatAddress(config.listen) : new URL(config.publicUrl).host;
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}
