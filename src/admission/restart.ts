import type { DigestLookup } from '../constraints/image-facts.ts';
import { groupOf } from '../constraints/kubernetes-object.ts';
import type { LiveWorkload, LiveWorkloads, RunHistory } from '../constraints/live-workloads.ts';
import { parseReferenceOnce } from '../constraints/reference-memory.ts';
import type { Digest } from '../oci/digest.ts';
import { toRfc3339 } from '../platform/clock.ts';
import type { DeniedTimes } from './denied-since.ts';
import { controllerOf } from './object-fields.ts';
import type { AdmissionRequest } from './parse-review.ts';

/** How long what ran before a rule may be started again: milliseconds after the rule, for ever, or not at all. */
export type RestartGrace = number | 'forever' | 'none';

const CONTROLLERS = [
  'system:kube-controller-manager',
  ...['replicaset', 'deployment', 'statefulset', 'daemon-set', 'job', 'cronjob', 'replication'].map(
    (name) => `system:serviceaccount:kube-system:${name}-controller`,
  ),
];

/** The users that make objects for living owners: Kubernetes' own controllers and those of operators. */
export function controllerNames(operators: readonly string[]): ReadonlySet<string> {
  return new Set([...CONTROLLERS, ...operators]);
}

/** Who an object is made for: its living owner and the last in the chain above. */
export interface Ownership {
  readonly owner: LiveWorkload;
  readonly top: LiveWorkload;
}

/**
 * The owner a controller makes the object for. Undefined for anybody else's request, whatever its ownerReferences say, and
 * for an owner that does not live or is another than the reference claims: a forged reference gives nothing.
 */
export function ownershipOf(
  live: LiveWorkloads,
  controllers: ReadonlySet<string>,
  request: AdmissionRequest,
): Ownership | undefined {
  if (!controllers.has(request.userInfo?.username ?? '')) return undefined;
  const reference = controllerOf(request.object);
  const owner = reference && live.workload(reference.uid);
  if (!reference || !owner) return undefined;
  const agrees =
    owner.kind === reference.kind &&
    owner.name === reference.name &&
    groupOf(owner.apiVersion) === groupOf(reference.apiVersion) &&
    owner.namespace === (request.namespace ?? '');
  return agrees ? { owner, top: live.topOf(owner.uid) ?? owner } : undefined;
}

/** The image that would be denied. */
export interface DeniedImage {
  readonly image: string;
  readonly grace: RestartGrace;
  /** Since when the rule or verdict denies it; costs a look at everything the constraint said before. */
  times(): DeniedTimes;
}

/** Why a denied image may be started again. */
export interface Restart {
  readonly top: LiveWorkload;
  readonly since: number | undefined;
  /** Epoch ms; undefined = for ever. */
  readonly until: number | undefined;
  /** Nobody here knows which image the tag means: the same text was taken for the same image. */
  readonly byText: boolean;
}

export interface RestartDeps {
  readonly runs: RunHistory;
  readonly digests: DigestLookup;
  readonly now: number;
  /** Whether what came in at that moment may have come in while no guard answered. */
  readonly cameInUnseen: (at: number) => boolean;
}

/**
 * A restart is not a first deploy: gives the grace under which a denied image may start again for an owner whose template
 * names it and that ran this very image before the rule or verdict came. Undefined when it must not: the owner is new, the
 * tag points elsewhere now, the image is not the owner's, it came in while no guard answered and would have been denied, or
 * the time is over.
 */
export function restartOf(deps: RestartDeps, ownership: Ownership, denied: DeniedImage): Restart | undefined {
  const { owner, top } = ownership;
  const { grace, image } = denied;
  if (grace === 'none' || !owner.images.some((one) => namesSameImage(one.image, image))) return undefined;
  const run = sightingOf(deps, top.uid, image);
  if (run === undefined) return undefined;
  const { since, deniedAt } = denied.times();
  if (run.at >= (since ?? deps.now)) return undefined;
  const until = grace === 'forever' || since === undefined ? undefined : since + grace;
  if (until !== undefined && deps.now >= until) return undefined;
  if (deps.cameInUnseen(run.at) && deniedAt(run.at)) return undefined;
  return { top, since, until, byText: run.byText };
}

/** The warning in the place of a denial: what would be denied, since when, until when and for whom. */
export function restartWarning(message: string, { top, since, until, byText }: Restart): string {
  const denied = since === undefined ? 'denied' : `denied since ${toRfc3339(since)}`;
  const passes = until === undefined ? 'passes' : `passes until ${toRfc3339(until)}`;
  const same = byText ? ', taken for the same image by its text' : '';
  return `${denied}, ${passes} as a restart of ${top.kind} ${top.namespace}/${top.name}${same}: ${message}`;
}

/** When this owner first ran what the image text means today. */
function sightingOf(
  { runs, digests }: Pick<RestartDeps, 'runs' | 'digests'>,
  uid: string,
  image: string,
): { readonly at: number; readonly byText: boolean } | undefined {
  const reference = parseReferenceOnce(image);
  const pinned = reference?.digest;
  const digest = pinned ?? (reference && digests.digestOf(reference));
  if (digest === undefined) {
    const at = runs.firstSeen(uid, image, undefined);
    return at === undefined ? undefined : { at, byText: true };
  }
  const tag = withoutDigest(image);
  // The same image is written with and without its digest where pins are put in on the way to the cluster.
  const sightings = [runs.firstSeen(uid, tag, digest), runs.firstSeen(uid, `${tag}@${digest}`, undefined)];
  const known = sightings.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : { at: Math.min(...known), byText: false };
}

/** True for the same text, and for the same text with a digest put behind it on the way to the cluster. */
export function namesSameImage(written: string, asked: string): boolean {
  return written === asked || (!written.includes('@') && withoutDigest(asked) === written && asked.includes('@'));
}

function withoutDigest(image: string): string {
  const at = image.indexOf('@');
  return at < 0 ? image : image.slice(0, at);
}

/** Remembers the images of an admitted object for its owner at the top. */
export function recordRuns(
  { runs, digests, now }: Pick<RestartDeps, 'runs' | 'digests' | 'now'>,
  ownerUid: string,
  images: readonly string[],
): void {
  for (const image of images) {
    const reference = parseReferenceOnce(image);
    const digest: Digest | undefined = reference && (reference.digest ?? digests.digestOf(reference));
    runs.record({ ownerUid, image, digest, at: now });
  }
}
