import { checkException } from '../exceptions/check-exception.ts';
import { EVERY_PROJECT, type NewException, scopeOf } from '../exceptions/exception.ts';
import { defined } from '../platform/defined.ts';
import type { GrantedException } from '../policy/exceptions.ts';
import type { Threshold } from '../policy/policy.ts';
import type { PolicyStore } from '../projects/policy-store.ts';
import { parseEntry, TrustEntryError } from '../trust/match/entry.ts';
import { SimulationError } from './errors.ts';
import type { Question } from './question.ts';

const DAY = 86_400_000;
/** How far ahead verdicts are asked for. */
const MOST_DAYS = 3660;

type AskedException = Omit<NewException, 'reason'>;

/** A question as somebody puts it. Times in epoch ms. */
export interface Asked {
  /** A policy document; else the newest of the project or the installation, with what follows. */
  readonly policy?: unknown;
  readonly block?: Threshold | undefined;
  readonly warn?: Threshold | undefined;
  /** Single fields by their path, like `graceDays.fixable.high`. */
  readonly set?: Readonly<Record<string, unknown>> | undefined;
  readonly exceptions?: readonly AskedException[] | undefined;
  /** Ids of granted exceptions that are revoked. */
  readonly revoke?: readonly string[] | undefined;
  /** Trusted entries that are retired. */
  readonly retire?: readonly string[] | undefined;
  readonly at?: number | undefined;
  readonly until?: number | undefined;
}

/** The project that is asked about alone. */
interface Project {
  readonly id: string;
  readonly name: string;
}

export interface AskDeps {
  readonly clock: { now(): number };
  readonly policies: Pick<PolicyStore, 'draft'>;
  readonly exceptions: { granted(projectId: string): Promise<readonly GrantedException[]> };
  readonly trust: { list(): Promise<readonly { readonly entry: string; readonly state: string }[]> };
}

/**
 * Makes a question of what somebody asks, about one project or all. Throws `SimulationError('simulation_invalid')`, or what
 * the parts throw when such a thing is to be kept.
 */
export async function readQuestion(deps: AskDeps, asked: Asked, project?: Project): Promise<Question> {
  const projectId = project?.id;
  const now = deps.clock.now();
  const policy = await policyAsked(deps, asked, project);
  const exceptions = await exceptionsAsked(deps, asked, projectId, now);
  const retired = await retiredAsked(deps, asked, projectId);
  checkMoments(asked, now);
  return {
    ...(projectId === undefined ? {} : { projectId }),
    ...(policy ? { policy } : {}),
    ...(exceptions ? { exceptions } : {}),
    ...(retired ? { retired } : {}),
    ...(asked.at === undefined ? {} : { at: asked.at }),
    ...(asked.until === undefined ? {} : { until: asked.until }),
  };
}

async function policyAsked(
  { policies }: AskDeps,
  { policy, block, warn, set }: Asked,
  project: Project | undefined,
): Promise<Question['policy']> {
  if (policy === undefined && block === undefined && warn === undefined && set === undefined) return undefined;
  const short = { ...(block === undefined ? {} : { block }), ...(warn === undefined ? {} : { warn }) };
  const changes = {
    ...(policy === undefined ? {} : { document: policy }),
    short,
    ...(set === undefined ? {} : { set }),
  };
  return policies.draft(project ?? 'installation', changes);
}

async function exceptionsAsked(
  { exceptions }: AskDeps,
  { exceptions: wanted = [], revoke = [] }: Asked,
  projectId: string | undefined,
  now: number,
): Promise<Question['exceptions']> {
  if (wanted.length + revoke.length === 0) return undefined;
  const place = projectId ?? EVERY_PROJECT;
  const present = new Set((await exceptions.granted(place)).map(({ id }) => id));
  const unknown = revoke.find((id) => !present.has(id));
  if (unknown !== undefined)
    throw new SimulationError(
      'simulation_invalid',
      `no exception ${JSON.stringify(unknown.slice(0, 60))} is in force here; see: breakwater exception list`,
    );
  const granted = wanted.map((one, at) => asGranted(one, { id: `simulated-${at + 1}`, projectId: place, now }));
  return { projectId: place, granted, revoked: revoke };
}

function asGranted(
  wanted: AskedException,
  { id, projectId, now }: { readonly id: string; readonly projectId: string; readonly now: number },
): GrantedException {
  const checked = checkException({ ...wanted, reason: 'simulated' });
  const { vulnerability, rule, package: name, packageType, version, versions, repository, digest, platform } = checked;
  const subject = { vulnerability, rule, package: name, packageType, version, versions, repository, digest, platform };
  if (!(checked.until > now))
    throw new SimulationError('simulation_invalid', 'the end date of an exception must lie in the future');
  return {
    id,
    ...scopeOf(defined(subject), projectId),
    ...(checked.fixDays === undefined ? {} : { fixDays: checked.fixDays }),
    from: now,
    until: checked.until,
  };
}

async function retiredAsked(
  { trust }: AskDeps,
  { retire = [] }: Asked,
  projectId: string | undefined,
): Promise<Question['retired']> {
  if (retire.length === 0) return undefined;
  if (projectId !== undefined)
    throw new SimulationError('simulation_invalid', 'trusted sources are those of all projects: leave the project out');
  const trusted = (await trust.list()).filter(({ state }) => state === 'approved' || state === 'review due');
  return retire.map((text) => {
    const found = trusted.find(({ entry }) => entry === text || meansTheSame(entry, text));
    if (found) return found.entry;
    throw new SimulationError(
      'simulation_invalid',
      `${JSON.stringify(text.slice(0, 140))} is no trusted source; see: breakwater trust list`,
    );
  });
}

function meansTheSame(entry: string, text: string): boolean {
  try {
    const [a, b] = [parseEntry(entry), parseEntry(text)];
    return (['registry', 'path', 'onlyBelow', 'tag', 'digest'] as const).every((field) => a[field] === b[field]);
  } catch (error) {
    if (error instanceof TrustEntryError) return false;
    throw error;
  }
}

function checkMoments({ at, until }: Asked, now: number): void {
  const latest = now + MOST_DAYS * DAY;
  if (at !== undefined && !(at >= now && at <= latest))
    throw new SimulationError('simulation_invalid', 'at: give a moment from now on, within ten years');
  if (until !== undefined && !(until > (at ?? now) && until <= latest))
    throw new SimulationError('simulation_invalid', 'until: give a moment after "at", within ten years from now');
}
