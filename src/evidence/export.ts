import { actorOf, type Principal, SYSTEM } from '../auth/principal.ts';
import type { UserStore } from '../auth/user-store.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { AdvisorySource } from '../model/coverage.ts';
import type { Clock } from '../platform/clock.ts';
import type { MemberStore } from '../projects/member-store.ts';
import type { PolicyStore } from '../projects/policy-store.ts';
import type { Project } from '../projects/project.ts';
import type { ProjectStore } from '../projects/project-store.ts';
import type { SourceStore } from '../trust/source-store.ts';
import { advisorySourceLine, readAdvisoryVersions } from './advisories.ts';
import { createBudget } from './budget.ts';
import { readVerdictChanges } from './changes.ts';
import { readExceptions, readPolicyVersions, trustedSourceLine } from './decided.ts';
import { type EvidenceDocument, FORMAT, FORMAT_VERSION, sealDocument } from './document.ts';
import { sliceLedger } from './ledger-slice.ts';
import type { Line } from './lines.ts';
import { readPeople } from './people.ts';
import { checkPeriod, type Period, toExactTime } from './period.ts';
import { type RunningDeps, readClusters, readRunning } from './running.ts';
import { readStored } from './stored.ts';

/** Everything evidence is read from: the stores, never their tables, where a store can tell. */
export interface EvidenceDeps extends Omit<RunningDeps, 'hosts'> {
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, 'list' | 'head'>;
  readonly advisories: {
    current():
      | { readonly version: string; readonly builtAt: string; readonly sources: readonly AdvisorySource[] }
      | undefined;
  };
  readonly projects: Pick<ProjectStore, 'list'>;
  readonly members: Pick<MemberStore, 'list'>;
  readonly policies: Pick<PolicyStore, 'effectivePolicy' | 'installationPolicy'>;
  readonly users: Pick<UserStore, 'list'>;
  readonly trust: Pick<SourceStore, 'list'>;
  readonly installation: {
    /** What people call it. */
    readonly name: string;
    /** Host names (with port) under which images of this registry are known. */
    readonly hosts: readonly string[];
    /** Name and version of the program, `breakwater 0.1.0`. */
    readonly software: string;
  };
}

const INSTALLATION = 'installation';

/**
 * One sealed document about a period (epoch ms, from inclusive, to exclusive): what is stored and runs, what was decided by
 * whom, and the lines of the audit log. States are those at the time of export, changes those of the period. Throws
 * `EvidenceError` `period_invalid`, `evidence_too_large`.
 */
export async function exportEvidence(deps: EvidenceDeps, wanted: Period): Promise<EvidenceDocument> {
  const { db, clock, advisories, installation } = deps;
  const now = clock.now();
  const period = checkPeriod(wanted, now);
  const budget = createBudget();
  const slice = await sliceLedger(deps.ledger, period, budget);
  const projects = await deps.projects.list(SYSTEM);
  const names = new Map(projects.map(({ id, name }) => [id, name]));
  const projectName = (id: string) => names.get(id) ?? slice.formerProjects.get(id) ?? `deleted project ${id}`;
  const database = advisories.current();
  const trusted = await deps.trust.list();
  const entries = trusted
    .filter(({ state }) => state === 'approved' || state === 'review due')
    .map(({ entry }) => entry);
  const running = { db, cluster: deps.cluster, hosts: installation.hosts };

  const sections = {
    ...(await readPeople(deps, projects)),
    policies: await effectivePolicies(deps.policies, projects),
    policyVersions: await readPolicyVersions(db, period, (id) =>
      id === '' ? INSTALLATION : `project/${projectName(id)}`,
    ),
    ...(await readStored(db, budget)),
    verdictChanges: await readVerdictChanges(db, period, budget),
    ...(await readClusters(running, budget)),
    runningImages: await readRunning(running, period, entries, budget),
    advisorySources: (database?.sources ?? []).map(advisorySourceLine),
    advisoryVersions: (await readAdvisoryVersions(db, period)).map((line) => budget.take(line)),
    exceptions: (await readExceptions(db, period, now, projectName, slice)).map((line) => budget.take(line)),
    trustedSources: trusted.map((source) => budget.take(trustedSourceLine(source, slice))),
    ledger: [...slice.lines],
  };
  return sealDocument(
    {
      format: FORMAT,
      version: FORMAT_VERSION,
      installation: { ...installation, hosts: [...installation.hosts] },
      period: { from: toExactTime(period.from), to: toExactTime(period.to) },
      exportedAt: toExactTime(now),
      ...(database === undefined ? {} : { advisories: { version: database.version, builtAt: database.builtAt } }),
      chain: slice.chain,
    },
    sections,
  );
}

/**
 * Writes into the audit log who was given which document. The line holds the digest of the document, so that a later export
 * proves what the earlier one said.
 */
export async function recordExport(
  ledger: Pick<Ledger, 'record'>,
  by: Principal,
  { period, seals, chain }: EvidenceDocument,
): Promise<void> {
  await ledger.record({
    actor: actorOf(by),
    action: 'evidence.export',
    target: INSTALLATION,
    details: { ...period, document: seals.document, head: chain.head.seq },
  });
}

async function effectivePolicies(
  policies: EvidenceDeps['policies'],
  projects: readonly Project[],
): Promise<Line<'policies'>[]> {
  const lines = [{ owner: INSTALLATION, ...(await policies.installationPolicy()) }];
  for (const { id, name } of projects)
    lines.push({ owner: `project/${name}`, ...(await policies.effectivePolicy(id)) });
  return lines.map(({ owner, version, origin, policy }) => ({ owner, version, origin, policy: { ...policy } }));
}
