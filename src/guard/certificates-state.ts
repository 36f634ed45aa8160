import { createHash, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import '../admission/reflect-metadata.ts';

const keyed = z.object({ cert: z.string(), key: z.string(), notBefore: z.number(), notAfter: z.number() });
const generation = z.object({ authority: keyed, leaf: keyed });
/** An authority and the certificate that it signed. */
export type Generation = z.infer<typeof generation>;

export const stateSchema = z.object({
  version: z.literal(1),
  hosts: z.array(z.string()),
  /** What every replica serves. */
  serving: generation,
  /** While its authority is made known: nobody serves it yet. */
  next: generation.optional(),
  /** PEM of the authority before, while a replica may still serve what it signed. */
  retiring: z.string().optional(),
});

/**
 * The certificates of all replicas. A rotation has three phases: `publishing` (the next authority is in the bundle, the
 * old certificate is served), `switching` (the new one is served, the old authority still in the bundle), `stable`.
 */
export type CertificateState = z.infer<typeof stateSchema>;
export type Phase = 'stable' | 'publishing' | 'switching';

const DAY = 86_400_000;
const AUTHORITY_DAYS = 3650;
const LEAF_DAYS = 365;
const RENEW_BEFORE_DAYS = 90;

export function phaseOf({ next, retiring }: CertificateState): Phase {
  if (next) return 'publishing';
  return retiring === undefined ? 'stable' : 'switching';
}

/** PEM of every authority a client must accept in this phase. */
export function bundleOf({ serving, next, retiring }: CertificateState): string {
  const all = [serving.authority.cert, next?.authority.cert, retiring];
  return all.flatMap((pem) => (pem === undefined ? [] : [pem.trimEnd()])).join('\n');
}

/** A short name of a certificate, by which replicas say what they serve. */
export function certificateId(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex').slice(0, 16);
}

/** The first certificates of a cluster. */
export async function firstState(hosts: readonly string[], now: number): Promise<CertificateState> {
  return { version: 1, hosts: [...hosts], serving: await newGeneration(hosts, now) };
}

/**
 * What is due by time or by other host names, undefined when nothing is. A new certificate of the same authority can be
 * served at once; a new authority begins a rotation, unless the old one has ended: then nothing works that could break.
 */
export async function renewed(
  state: CertificateState,
  hosts: readonly string[],
  now: number,
): Promise<CertificateState | undefined> {
  if (phaseOf(state) !== 'stable') return undefined;
  const { authority, leaf } = state.serving;
  // Names are only added: replicas of two versions, with different settings, must not take them from each other.
  const missing = hosts.filter((host) => !state.hosts.includes(host));
  if (missing.length === 0 && daysLeft(leaf, now) > RENEW_BEFORE_DAYS) return undefined;
  const all = [...state.hosts, ...missing];
  if (authority.notAfter <= now) return { ...state, hosts: all, serving: await newGeneration(all, now) };
  if (daysLeft(authority, now) <= LEAF_DAYS + RENEW_BEFORE_DAYS && missing.length === 0)
    return begun(state, hosts, now);
  const { issueLeaf } = await issuer();
  return { ...state, hosts: all, serving: { authority, leaf: await issueLeaf(authority, all, now, LEAF_DAYS) } };
}

/** The first step of a rotation. Only from `stable`. */
export async function begun(state: CertificateState, hosts: readonly string[], now: number): Promise<CertificateState> {
  return { ...state, hosts: [...hosts], next: await newGeneration(hosts, now) };
}

/** The second: everybody knows the next authority, so what it signed is served. */
export function switched(state: CertificateState): CertificateState {
  const { next, ...rest } = state;
  if (next === undefined) return state;
  return { ...rest, serving: next, retiring: state.serving.authority.cert };
}

/** The third: nobody serves the old certificate any more. */
export function finished({ version, hosts, serving }: CertificateState): CertificateState {
  return { version, hosts, serving };
}

async function newGeneration(hosts: readonly string[], now: number): Promise<Generation> {
  const { issueAuthority, issueLeaf } = await issuer();
  const authority = await issueAuthority(now, AUTHORITY_DAYS);
  return { authority, leaf: await issueLeaf(authority, hosts, now, LEAF_DAYS) };
}

/** Loaded when a certificate is due, which is seldom, and after the metadata its library expects to find. */
const issuer = () => import('../admission/certificate-issuer.ts');

function daysLeft({ notAfter }: { readonly notAfter: number }, now: number): number {
  return (notAfter - now) / DAY;
}
