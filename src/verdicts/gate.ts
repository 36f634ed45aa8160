import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from '../db/database.ts';
import { isUnavailable } from '../db/errors.ts';
import { cacheWhileUnchanged, type DatabaseState } from '../db/unchanged.ts';
import { projectOf } from '../model/project-name.ts';
import type { Verdict } from '../model/verdict.ts';
import { isTag } from '../oci/reference.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { within } from '../platform/within.ts';
import { withReference } from '../policy/judge-reference.ts';
import {
  headerText,
  quarantineRefusal,
  type Refused,
  refusal,
  unscannedRefusal,
  warningText,
} from '../policy/messages.ts';
import { isGated, type Policy } from '../policy/policy.ts';
import { quarantineOf, quarantineSentence } from '../policy/quarantine.ts';
import type { Caller, GateDecision, ManifestSubject, PullGate } from '../registry/ports.ts';
import type { AdvisoryStore } from '../scanner/advisories/types.ts';
import type { BlockedPulls } from './blocked-pulls.ts';
import { VerdictError } from './errors.ts';
import { imageState } from './image-inventory.ts';
import type { Ingest } from './ingest.ts';
import type { Judging } from './judging.ts';
import type { GateLedger, PolicySource, QuarantineSource } from './ports.ts';
import { findSubject, imageName, type Subject, subjectKey } from './subjects.ts';

/** Code of a refusal, the one Harbor's clients know. */
const REFUSED = 'PROJECTPOLICYVIOLATION';
const RETRY_AFTER_SECONDS = 10;
/** Between two looks whether the layers of an image have arrived. */
const ABSENT_RETRY_MS = 200;
/** Verdicts kept for the next pull, by their size as JSON, roughly. */
const KEPT = { limit: 16 * 1024 * 1024, weigh: ({ verdict }: Held) => 1024 + verdict.reasons.length * 1024 };
/** An analysis that failed this recently is not tried again for a pull. */
const FAILURE_REST_MS = 60_000;

/** A verdict as it was when nothing had changed in the database since, with what else it depends on. */
interface Held {
  readonly subject: Subject;
  readonly verdict: Verdict;
  /** Of the subject's project. */
  readonly effective: Effective;
  readonly advisories: string | undefined;
  /** What the image is called where it is asked for by its digest; absent where nothing is said of it. */
  readonly image?: string;
}

type Effective = Awaited<ReturnType<PolicySource['effectivePolicy']>>;

export interface GateDeps {
  readonly db: Db;
  readonly state: DatabaseState;
  readonly advisories: Pick<AdvisoryStore, 'current'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly judging: Judging;
  readonly ingest: Pick<Ingest, 'process'>;
  readonly policies: PolicySource;
  readonly quarantines: QuarantineSource;
  readonly ledger: GateLedger;
  readonly blockedPulls?: Pick<BlockedPulls, 'refused'> | undefined;
  readonly holdMs: number;
}

/** The pull gate: decides from the kept verdict, renewed when it no longer holds. What cannot be decided is refused. */
export function createGate(deps: GateDeps): PullGate {
  const { db, clock, advisories } = deps;
  const kept = cacheWhileUnchanged<Held>(deps.state, KEPT);

  /** What is asked for and the verdict that holds; without one when it is to be judged first. */
  async function heldFor(manifest: ManifestSubject): Promise<Found | undefined> {
    const version = advisories.current()?.version;
    const held = await kept.get(subjectKey(manifest), () => lookUp(manifest));
    if (held && held.advisories === version && clock.now() < (held.verdict.changesAt ?? Infinity)) return held;
    const subject = held?.subject ?? (await findSubject(db, manifest.repositoryId, manifest.digest));
    return subject && foundOf(subject);
  }

  async function lookUp(manifest: ManifestSubject): Promise<Held | undefined> {
    const version = advisories.current()?.version;
    const subject = await findSubject(db, manifest.repositoryId, manifest.digest);
    const found = subject && (await foundOf(subject));
    if (!found?.verdict) return undefined;
    const { verdict } = found;
    const named = verdict.kind === 'allow' ? {} : { image: await imageName(db, found.subject) };
    return { ...found, verdict, advisories: version, ...named };
  }

  async function foundOf(subject: Subject): Promise<Found> {
    const verdict = await deps.judging.current(subject);
    const effective = await deps.policies.effectivePolicy(subject.projectId);
    return { subject, effective, ...(verdict && { verdict }) };
  }

  return {
    async decide(manifest, caller) {
      try {
        const held = await heldFor(manifest);
        const decision = await decideOn(deps, manifest, caller, held);
        // One that says when to come back is no refusal of the image.
        if (decision.kind === 'refuse' && held && decision.retryAfterSeconds === undefined)
          deps.blockedPulls?.refused(manifest, caller, decision.message);
        return decision;
      } catch (error) {
        // Nothing is served either; but it is no verdict that a client should show.
        if (isUnavailable(error)) throw error;
        const { repository, digest } = manifest;
        deps.logger.error({ err: error, repository, digest }, 'the gate could not decide');
        const message = `${repository}@${digest} could not be judged: ${messageOf(error)}. It is refused until it can be; tell your administrator.`;
        return { kind: 'refuse', code: REFUSED, message, retryAfterSeconds: RETRY_AFTER_SECONDS };
      }
    },
  };
}

type Found = Pick<Held, 'subject' | 'effective'> & Partial<Pick<Held, 'verdict' | 'image'>>;

/** A manifest as somebody asks for it, and the policy of its project. */
type Asked = Subject & Pick<Found, 'effective' | 'image'> & { readonly reference?: string };

async function decideOn(
  deps: GateDeps,
  manifest: ManifestSubject,
  caller: Caller,
  found: Found | undefined,
): Promise<GateDecision> {
  // Deleted since it was found: there is nothing to serve, and nothing to say about it.
  if (!found) return { kind: 'refuse', code: REFUSED, message: `${manifest.repository}@${manifest.digest} is gone` };
  const { verdict, effective, image } = found;
  const { reference } = manifest;
  const subject: Asked = {
    ...found.subject,
    effective,
    ...(image === undefined ? {} : { image }),
    ...(reference === undefined ? {} : { reference }),
  };
  const decision = verdict ? await byVerdict(deps, subject, verdict) : await withoutVerdict(deps, subject, caller);
  if (decision.kind === 'serve' || !caller.bypassesGate || decision.quarantined) return decision;
  return serveInSpite(deps, subject, caller, decision.message);
}

/** A refusal for a quarantine is one that no permission overrides. */
type Decided =
  | Extract<GateDecision, { readonly kind: 'serve' }>
  | (Extract<GateDecision, { readonly kind: 'refuse' }> & { readonly quarantined?: true });

async function byVerdict(deps: GateDeps, subject: Asked, ofDigest: Verdict): Promise<Decided> {
  const verdict = asReferred(deps, subject, ofDigest);
  if (verdict.kind === 'allow') return { kind: 'serve', warnings: [] };
  const image = await calledName(deps, subject);
  if (verdict.kind === 'warn') return { kind: 'serve', warnings: [warningOn(verdict, image)] };
  const policy = policyAt(subject, deps.clock.now());
  const quarantined = quarantineOf(verdict) !== undefined;
  return {
    kind: 'refuse',
    code: REFUSED,
    message: refusal(verdict, { image, policy }),
    ...(quarantined ? { quarantined } : {}),
  };
}

/** By the tag it is asked for, else as it was called when its verdict was read. */
async function calledName({ db }: GateDeps, subject: Asked): Promise<string> {
  const byTag = subject.reference !== undefined && isTag(subject.reference);
  return byTag || subject.image === undefined ? imageName(db, subject) : subject.image;
}

/** The last warning on each verdict: the same image is mostly asked for by the same name. */
const told = new WeakMap<Verdict, { readonly image: string; readonly text: string }>();

function warningOn(verdict: Verdict, image: string): string {
  const known = told.get(verdict);
  if (known?.image === image) return known.text;
  const text = warningText(verdict, image);
  told.set(verdict, { image, text });
  return text;
}

/** The verdict on the image by the name it is asked for; of what nothing runs the name does not matter. */
function asReferred({ clock }: GateDeps, { kind, effective, reference }: Asked, verdict: Verdict): Verdict {
  if (kind === 'artifact' || reference === undefined || !isTag(reference)) return verdict;
  return withReference(verdict, effective, { tag: reference }, clock.now());
}

/** The policy was read before its successor's moment, maybe. */
function policyAt({ effective: { policy, coming = [] } }: Asked, now: number): Policy {
  return coming.findLast(({ from }) => from <= now)?.policy ?? policy;
}

async function withoutVerdict(deps: GateDeps, subject: Asked, caller: Caller): Promise<Decided> {
  const policy = policyAt(subject, deps.clock.now());
  const refused = { image: await imageName(deps.db, subject), policy };
  const [hit] = (await deps.quarantines.hitsOf([subject])).get(subject.digest) ?? [];
  if (hit) {
    const message = quarantineRefusal(refused.image, quarantineSentence(hit));
    return { kind: 'refuse', code: REFUSED, message, quarantined: true };
  }
  // An image that was not looked into may hold a package under quarantine, whoever asks and whatever the project accepts.
  const strict = await deps.quarantines.concernsPackages();
  const decision = await byRule(deps, subject, { refused, caller, strict });
  return strict && decision.kind === 'refuse' ? { ...decision, quarantined: true } : decision;
}

async function byRule(
  deps: GateDeps,
  subject: Asked,
  { refused, caller, strict }: { readonly refused: Refused; readonly caller: Caller; readonly strict: boolean },
): Promise<Decided> {
  const rule = unscannedRule(refused.policy, strict);
  if (rule === 'ignore') return { kind: 'serve', warnings: [] };
  if (rule === 'warn') return { kind: 'serve', warnings: [headerText(`${refused.image} has not been analysed yet`)] };
  const failure = await recentFailure(deps, subject);
  if (failure !== undefined)
    return { kind: 'refuse', code: REFUSED, message: unscannedRefusal('failed', refused, failure) };
  if (rule === 'block' || (caller.bypassesGate && !strict)) return refuseUnscanned('never', refused);
  return hold(deps, subject, refused);
}

/** Waiting makes sense only where the verdict may come to a refusal. */
function unscannedRule(policy: Policy, strict: boolean): Policy['unscanned'] {
  if (strict) return policy.unscanned === 'block' ? 'block' : 'wait';
  return policy.unscanned === 'wait' && !isGated(policy) ? 'warn' : policy.unscanned;
}

async function hold(deps: GateDeps, subject: Asked, refused: Refused): Promise<Decided> {
  try {
    const verdict = await within(processWhole(deps, subject, deps.clock.now() + deps.holdMs), deps.holdMs);
    if (!verdict) return refuseUnscanned('pending', refused);
    // It may be another policy than when the wait began.
    const effective = await deps.policies.effectivePolicy(subject.projectId);
    return await byVerdict(deps, { ...subject, effective }, verdict);
  } catch (error) {
    deps.logger.error(
      { err: error, repository: subject.repository, digest: subject.digest },
      'image could not be judged',
    );
    return { kind: 'refuse', code: REFUSED, message: unscannedRefusal('failed', refused, messageOf(error)) };
  }
}

/** Judges an image as soon as all its layers are here; those of a mirrored one may be on their way. Gives up at `deadline`. */
async function processWhole(deps: GateDeps, subject: Subject, deadline: number): Promise<Verdict | undefined> {
  for (;;) {
    try {
      return await deps.ingest.process(subject);
    } catch (error) {
      if (!(error instanceof VerdictError) || error.code !== 'layer_absent') throw error;
      if (deps.clock.now() >= deadline) return undefined;
      await delay(ABSENT_RETRY_MS);
    }
  }
}

function refuseUnscanned(state: 'never' | 'pending', refused: Refused): Decided {
  const message = unscannedRefusal(state, refused);
  return { kind: 'refuse', code: REFUSED, message, retryAfterSeconds: RETRY_AFTER_SECONDS };
}

/** Why the analysis failed a moment ago; it is not repeated by everybody who asks. */
async function recentFailure({ db, clock }: GateDeps, subject: Subject): Promise<string | undefined> {
  const state = await imageState(db, subject.digest);
  if (state?.status !== 'failed' || clock.now() - state.updatedAt > FAILURE_REST_MS) return undefined;
  return state.error;
}

/** Serves what would be refused, once the ledger holds who took it. If that fails the pull fails. */
async function serveInSpite(
  { db, ledger }: GateDeps,
  subject: Asked,
  caller: Caller,
  refusedBecause: string,
): Promise<GateDecision> {
  const image = await imageName(db, subject);
  await ledger.record({
    actor: caller.person === undefined ? caller.name : { name: caller.name, person: caller.person },
    action: 'gate.bypass',
    target: `${subject.repository}@${subject.digest}`,
    project: projectOf(subject.repository),
    details: { image, refusedBecause },
  });
  return { kind: 'serve', warnings: [headerText(`${image} was served past the gate; this is on record`)] };
}
