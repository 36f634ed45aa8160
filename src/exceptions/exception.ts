import type { Row } from '../db/schema.ts';
import type { PackageType } from '../model/inventory.ts';
import type { ExceptionKind, ExceptionRule, GrantedException, Justification } from '../policy/exceptions.ts';

/** What a request is about, and how it is narrowed. What is absent does not limit it. */
export interface ExceptionSubject {
  /** CVE, GHSA or any other id of the vulnerability; its aliases are meant too. Either this or `rule` is there. */
  readonly vulnerability?: string;
  /** A rule about the image as a whole; only for one digest. */
  readonly rule?: ExceptionRule;
  /** Package or source package it is limited to. */
  readonly package?: string;
  readonly packageType?: PackageType;
  /** Exact installed version it is limited to; needs the package. */
  readonly version?: string;
  /** Range of installed versions it is limited to, like `>= 1.0, < 1.2`; needs the package and its type. */
  readonly versions?: string;
  /** Glob of repositories below the project, or of full names where it is about all: `*` inside a path segment, `**` across. */
  readonly repository?: string;
  /** Manifest digest it is limited to. */
  readonly digest?: string;
  /** `linux/arm64` also means its variants. */
  readonly platform?: string;
}

/** What somebody asks for: that something does not count, for a reason and a time, here or in a part of here. */
export interface NewException extends ExceptionSubject {
  /** `accepted-risk` unless told. */
  readonly kind?: ExceptionKind;
  /** Why it is not affected, in the words of VEX; with that kind only. */
  readonly justification?: Justification;
  /** It ends this many days after a fix is known; with `until-fixed` only. */
  readonly fixDays?: number;
  /** Who answers for the risk: a person or a team. */
  readonly owner?: string;
  readonly reason: string;
  readonly ticket?: string;
  /** Epoch ms at which it is over. */
  readonly until: number;
}

export type ExceptionState = 'requested' | 'granted' | 'denied' | 'revoked';

/** A request and what became of it. */
export interface ExceptionRecord extends NewException {
  readonly id: string;
  /** Empty: it is about all projects. */
  readonly projectId: string;
  readonly kind: ExceptionKind;
  readonly state: ExceptionState;
  /** Its end has passed: it does not count any more, whatever its state. */
  readonly expired: boolean;
  readonly requestedBy: string;
  readonly requestedAt: number;
  /** Accounts of every person who asked for it or changed the request: none of them may grant it. */
  readonly requesters: readonly string[];
  /** 1 as it was asked for first; every change of what is asked for raises it. */
  readonly revision: number;
  /** The exception it continues. */
  readonly renews?: string;
  /** When the first of those it continues began to count; epoch ms. */
  readonly lifeFrom?: number;
  /** What was asked for together. */
  readonly batch?: string;
  /** The last decision; every one before is in the ledger. */
  readonly decidedBy?: string;
  readonly decidedAt?: number;
  readonly decisionReason?: string;
  /** Granted by the person who asked for it, where that is allowed. */
  readonly singleHanded: boolean;
  /** Epoch ms from which it counts; present once granted. */
  readonly validFrom?: number;
}

/** Most exceptions that are asked for or decided together. */
export const MOST_AT_ONCE = 1000;

/** Installation-wide exceptions are kept under this project id. */
export const EVERY_PROJECT = '';

export function toRecord(row: Row<'exceptions'>, now: number): ExceptionRecord {
  return {
    id: row.id,
    projectId: row.project_id,
    kind: row.kind as ExceptionKind,
    ...toSubject(row),
    ...present('justification', row.justification as Justification | null),
    ...present('fixDays', row.fix_days),
    ...present('owner', row.owner),
    reason: row.reason,
    ...present('ticket', row.ticket),
    state: row.state as ExceptionState,
    expired: row.until <= now,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    requesters: requestersOf(row),
    revision: row.revision,
    ...present('renews', row.renews),
    ...present('lifeFrom', row.life_from),
    ...present('batch', row.batch),
    ...present('decidedBy', row.decided_by),
    ...present('decidedAt', row.decided_at),
    ...present('decisionReason', row.decision_reason),
    singleHanded: row.single_handed === 1,
    ...present('validFrom', row.valid_from),
    until: row.until,
  };
}

/** What a row is about. */
export function toSubject(row: Row<'exceptions'>): ExceptionSubject {
  return {
    ...present('vulnerability', row.vulnerability === '' ? null : row.vulnerability),
    ...present('rule', row.rule as ExceptionRule | null),
    ...present('package', row.package),
    ...present('packageType', row.package_type as PackageType | null),
    ...present('version', row.version),
    ...present('versions', row.versions),
    ...present('repository', row.repository_glob),
    ...present('digest', row.digest),
    ...present('platform', row.platform),
  };
}

/** Columns of what a request is about. */
export function fromSubject(subject: ExceptionSubject) {
  return {
    vulnerability: subject.vulnerability ?? '',
    rule: subject.rule ?? null,
    package: subject.package ?? null,
    package_type: subject.packageType ?? null,
    version: subject.version ?? null,
    versions: subject.versions ?? null,
    repository_glob: subject.repository ?? null,
    digest: subject.digest ?? null,
    platform: subject.platform ?? null,
  };
}

export function requestersOf({ requester_accounts: accounts }: Row<'exceptions'>): readonly string[] {
  return JSON.parse(accounts) as readonly string[];
}

/** The form that `judge` takes, as if it were granted. */
export function toGranted(row: Row<'exceptions'>): GrantedException {
  return {
    id: row.id,
    ...scopeOf(toSubject(row), row.project_id),
    ...present('fixDays', row.fix_days),
    from: row.valid_from ?? row.until,
    until: row.until,
  };
}

/** What a request is about, as `judge` and the order of narrowness take it. */
export function scopeOf(subject: ExceptionSubject, projectId: string): Omit<GrantedException, 'id' | 'from' | 'until'> {
  const { package: name, packageType, ...same } = subject;
  return {
    ...same,
    ...(name === undefined ? {} : { package: { name, ...(packageType === undefined ? {} : { type: packageType }) } }),
    ...(projectId === EVERY_PROJECT ? { everywhere: true } : {}),
  };
}

function present<Name extends string, Value>(name: Name, value: Value | null): { readonly [key in Name]?: Value } {
  return (value === null ? {} : { [name]: value }) as { readonly [key in Name]?: Value };
}
