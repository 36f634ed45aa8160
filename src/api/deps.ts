import type { Advisor } from '../advice/advisor.ts';
import type { AccessControl } from '../auth/access.ts';
import type { Principal } from '../auth/principal.ts';
import type { RateLimits } from '../auth/rate-limits.ts';
import type { RobotStore } from '../auth/robot-store.ts';
import type { UserStore } from '../auth/user-store.ts';
import type { AdmissionFindingStore } from '../cluster/admission-findings.ts';
import type { ClusterAuditStore } from '../cluster/audit-store.ts';
import type { Db } from '../db/database.ts';
import type { ExceptionStore } from '../exceptions/exception-store.ts';
import type { Feed } from '../facts/feed.ts';
import type { GarbageCollector } from '../gc/garbage-collector.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Notifications } from '../notify/notifications.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { MemberStore } from '../projects/member-store.ts';
import type { PolicyStore } from '../projects/policy-store.ts';
import type { ProjectStore } from '../projects/project-store.ts';
import type { QuarantineStore } from '../quarantine/quarantine-store.ts';
import type { Retention } from '../retention/retention.ts';
import type { AdvisoryStore } from '../scanner/advisories/index.ts';
import type { Simulator } from '../simulate/simulator.ts';
import type { SourceStore } from '../trust/source-store.ts';
import type { OriginDeps } from '../trust/stored-from.ts';
import type { Verdicts } from '../verdicts/verdicts.ts';
import type { Vex } from '../vex/vex.ts';

/** Manifests as somebody wants them; what is not given is as the running guard has it. */
interface WantedManifests {
  /** The trusted set, as the constraint lists it. */
  readonly repos: readonly string[];
  readonly name?: string | undefined;
  readonly enforcement: 'warn' | 'deny' | 'dryrun';
  readonly style?: 'welkin-docs' | 'gatekeeper' | 'welkin-current' | undefined;
  /** How the API server reaches the webhook: an address, or a service of the cluster. */
  readonly url?: string | undefined;
  readonly service?: string | undefined;
  /** The constraint as a document of its own, instead of having the guard make it. */
  readonly document?: boolean | undefined;
  /** Also the webhook that puts digests behind tags. */
  readonly pinning?: 'pods' | 'templates' | undefined;
  /** What happens to workloads while no guard answers. */
  readonly failurePolicy?: 'Ignore' | 'Fail' | undefined;
  /** Guards behind the address. */
  readonly replicas?: number | undefined;
}

/** The guard, as far as the API asks it. */
export interface GuardAccess {
  /** What a cluster needs, as YAML. Throws a `CodedError` for what would stop the cluster. */
  manifests(wanted: WantedManifests): string;
  /** Audits the cluster now and gives its name; absent without a cluster. Throws a `CodedError` when it cannot be audited. */
  auditNow?(): Promise<{ readonly cluster: string }>;
}

/** Everything the management API needs; `app` fits the pieces. */
export interface ApiDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  /** Folder for files on their way in. */
  readonly spoolDir: string;
  principalOf(authorization: string | undefined, address: string): Promise<Principal>;
  readonly limits?: Pick<RateLimits, 'spend'> | undefined;
  readonly access: AccessControl;
  readonly users: UserStore;
  readonly robots: RobotStore;
  readonly notifications: Notifications;
  readonly projects: ProjectStore;
  readonly members: MemberStore;
  readonly policies: PolicyStore;
  readonly exceptions: ExceptionStore;
  readonly trust: SourceStore;
  readonly quarantines: QuarantineStore;
  /** Where stored images come from: under which names this registry is known, and what upstreams are. */
  readonly origins: Pick<OriginDeps, 'hosts' | 'placeOf'>;
  readonly ledger: Ledger;
  readonly cluster: ClusterAuditStore;
  /** Takes what guards of other clusters said. */
  readonly admissionFindings: Pick<AdmissionFindingStore, 'add'>;
  readonly advisories: AdvisoryStore;
  readonly verdicts: Verdicts;
  readonly vex: Vex;
  /** Host and port clients use for this registry. */
  readonly host: string;
  readonly simulator: Simulator;
  readonly advisor: Advisor;
  readonly garbage: Pick<GarbageCollector, 'run' | 'lookAhead' | 'status'>;
  readonly retention: Retention;
  /** Bytes that a project may hold when it has no quota of its own; absent: any number. */
  readonly defaultQuota?: number | undefined;
  readonly guard: GuardAccess;
  /** What guards of other clusters are told. */
  readonly feed: Pick<Feed, 'read'>;
  /** One evidence file as text; who was given it is recorded. Times in epoch ms. */
  exportEvidence(wanted: {
    readonly by: Principal;
    readonly from: number;
    readonly to: number;
    readonly format: 'json' | 'html';
  }): Promise<string>;
}
