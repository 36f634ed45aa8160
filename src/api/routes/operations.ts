import { actorOf, nameOf } from '../../auth/principal.ts';
import type { AuditRunView } from '../../cluster/audit-store.ts';
import { CodedError } from '../../platform/errors.ts';
import { compileRepos } from '../../trust/compile.ts';
import { noteAdvisoryVersion } from '../../verdicts/advisory-versions.ts';
import * as contract from '../contract/operations.ts';
import type { ApiDeps } from '../deps.ts';
import { ApiError } from '../errors.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';
import { withSpooled } from '../spool.ts';

const DAY_MS = 86_400_000;

export function operationRoutes(deps: ApiDeps): BoundEndpoint[] {
  const { advisories, guard, cluster, clock } = deps;
  return [
    on(contract.getAdvisories, async () => {
      const database = advisories.current();
      if (!database) return {};
      const ageDays = Math.max(0, clock.now() - Date.parse(database.builtAt)) / DAY_MS;
      return {
        database: {
          version: database.version,
          builtAt: database.builtAt,
          ageDays: Math.round(ageDays * 10) / 10,
          sources: [...database.sources],
        },
      };
    }),
    on(contract.importAdvisories, ({ by, stream }) =>
      withSpooled(deps.spoolDir, stream, async (path) => {
        const { database, changed } = await advisories.importFile(path, 'the file that was sent');
        const { version, builtAt } = database;
        await noteAdvisoryVersion(deps.db, database, { by: nameOf(by), at: clock.now() });
        await deps.ledger.record({
          actor: actorOf(by),
          action: 'advisories.import',
          target: version,
          details: { builtAt, changed },
        });
        return { version, builtAt, changed };
      }),
    ),

    on(contract.guardManifests, async ({ query: { document, ...wanted } }) => {
      const repos = compileRepos(await deps.trust.approvedEntries());
      try {
        return guard.manifests({
          ...wanted,
          repos,
          ...(document === undefined ? {} : { document: document === 'true' }),
        });
      } catch (error) {
        if (!(error instanceof CodedError)) throw error;
        throw new ApiError('request_invalid', error.message, { cause: error });
      }
    }),

    on(contract.runAudit, async ({ by }) => {
      if (!guard.auditNow)
        throw new ApiError('not_configured', 'no cluster is configured; start the server with BREAKWATER_KUBECONFIG');
      try {
        const run = await guard.auditNow();
        const stored = await cluster.latestRun(run.cluster);
        if (!stored) throw new ApiError('failed', 'the audit was not recorded');
        await deps.ledger.record({
          actor: actorOf(by),
          action: 'cluster-audit.run',
          target: `cluster/${stored.cluster}`,
          details: { run: stored.id, objects: stored.objects, violations: stored.violations },
        });
        return runView(stored);
      } catch (error) {
        if (error instanceof CodedError && !(error instanceof ApiError))
          throw new ApiError('failed', `the cluster could not be audited: ${error.message}`, { cause: error });
        throw error;
      }
    }),
    on(contract.listViolations, async () => {
      const runs = [];
      for (const name of await cluster.clusters()) {
        const run = await cluster.latestRun(name);
        if (run) runs.push({ ...runView(run), items: (await cluster.violations(name)).map(violationView) });
      }
      return { runs };
    }),
    on(contract.listRunning, async () => ({
      items: (await cluster.images({ current: true })).map(({ firstSeen, lastSeen, ...image }) => ({
        ...image,
        firstSeen: time(firstSeen),
        lastSeen: time(lastSeen),
      })),
    })),

    on(contract.listLedger, async ({ query }) => {
      const after = query.after === undefined ? undefined : Number(query.after);
      if (after !== undefined && !Number.isSafeInteger(after))
        throw new ApiError('request_invalid', 'after: the number of a line');
      const lines = await deps.ledger.list({
        limit: query.limit,
        ...(after === undefined ? {} : { after }),
        ...(query.from === undefined ? {} : { from: Date.parse(query.from) }),
        ...(query.to === undefined ? {} : { to: Date.parse(query.to) }),
        ...(query.target === undefined ? {} : { target: query.target }),
        ...(query.actor === undefined ? {} : { actor: query.actor }),
        ...(query.action === undefined ? {} : { action: query.action }),
        ...(query.project === undefined ? {} : { project: query.project }),
      });
      const next = lines.length === query.limit ? lines.at(-1)?.seq : undefined;
      return {
        items: lines.map(({ at, details, ...line }) => ({ ...line, at: time(at), details: { ...details } })),
        ...(next === undefined ? {} : { next: String(next) }),
      };
    }),
    on(contract.exportEvidence, async ({ by, query }) => {
      const [from, to] = [Date.parse(query.from), Date.parse(query.to)];
      if (from >= to) throw new ApiError('request_invalid', 'the period ends before it begins');
      return deps.exportEvidence({ by, from, to, format: query.format });
    }),
  ];
}

function runView(run: AuditRunView) {
  return { ...run, startedAt: time(run.startedAt), finishedAt: time(run.finishedAt), incomplete: [...run.incomplete] };
}

function violationView({
  constraint,
  action,
  kind,
  namespace,
  name,
  message,
}: {
  constraint: string;
  action: string;
  kind: string;
  namespace: string;
  name: string;
  message: string;
}) {
  return { constraint, action, kind, namespace, name, message };
}
