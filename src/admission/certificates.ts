import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../platform/clock.ts';
import { CodedError } from '../platform/errors.ts';
import { writeWholeFile } from '../platform/whole-file.ts';
import './reflect-metadata.ts';
import type { KeyedCertificate } from './certificate-issuer.ts';
import type { TlsMaterial } from './server.ts';

export class CertificateError extends CodedError<'certificate_store_invalid'> {}

export interface CertificateOptions {
  /** Folder the keys live in, made with mode 0700; files have mode 0600. */
  readonly folder: string;
  /** DNS names and IP addresses under which the webhook is reached. */
  readonly hosts: readonly string[];
  readonly clock: Clock;
}

export interface Certificates {
  /** What to serve now. */
  tls(): TlsMaterial;
  /** PEM bundle of every authority a client should accept: old and new together while they change. */
  readonly caBundle: string;
  /** End of what is served, epoch ms. */
  endsAt(): number;
  /** Renews what is due and tells whether `tls` or `caBundle` changed. To be called about twice a day. */
  renew(): Promise<{ readonly leafChanged: boolean; readonly bundleChanged: boolean }>;
}

const DAY = 86_400_000;
const AUTHORITY_DAYS = 3650;
const LEAF_DAYS = 365;
const RENEW_BEFORE_DAYS = 90;
/** A new authority is in the bundle this long before anything it signed is served. */
const OVERLAP_DAYS = 30;
const STORE = 'webhook-certificates.json';

const keyed = z.object({ cert: z.string(), key: z.string(), notBefore: z.number(), notAfter: z.number() });
const storeSchema = z.object({
  authority: keyed,
  /** Published but not signing yet. */
  next: keyed.optional(),
  /** Signs no more; stays in the bundle until it ends. */
  previous: keyed.omit({ key: true }).optional(),
  leaf: keyed,
  hosts: z.array(z.string()),
});
type Store = z.infer<typeof storeSchema>;

/**
 * Our own authority (10 years) and a server certificate (1 year, renewed 90 days before its end), kept in a folder.
 * A new authority is published beside the old one long before it signs, so no client ever sees a stranger.
 * Throws `CertificateError` when the folder holds something else.
 */
export async function openCertificates(options: CertificateOptions): Promise<Certificates> {
  const path = join(options.folder, STORE);
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  let store = await readStore(path);
  if (store === undefined) {
    store = await firstStore(options);
    await writeWholeFile(path, [JSON.stringify(store)]);
  }
  const held = { store };

  async function renew(): Promise<{ leafChanged: boolean; bundleChanged: boolean }> {
    const before = held.store;
    const after = await renewed(before, options);
    const leafChanged = after.leaf !== before.leaf;
    const bundleChanged = bundleOf(after) !== bundleOf(before);
    if (leafChanged || bundleChanged) await writeWholeFile(path, [JSON.stringify(after)]);
    held.store = after;
    return { leafChanged, bundleChanged };
  }
  await renew();
  return {
    tls: () => ({ cert: held.store.leaf.cert, key: held.store.leaf.key }),
    get caBundle() {
      return bundleOf(held.store);
    },
    endsAt: () => held.store.leaf.notAfter,
    renew,
  };
}

/** Loaded when a certificate is due, which is seldom, and after the metadata its library expects to find. */
const issuer = () => import('./certificate-issuer.ts');

async function firstStore({ clock, hosts }: CertificateOptions): Promise<Store> {
  const now = clock.now();
  const { issueAuthority, issueLeaf } = await issuer();
  const authority = await issueAuthority(now, AUTHORITY_DAYS);
  const leaf = await issueLeaf(authority, hosts, now, LEAF_DAYS);
  return { authority, leaf, hosts: [...hosts] };
}

async function renewed(store: Store, { clock, hosts }: CertificateOptions): Promise<Store> {
  const now = clock.now();
  const next = await nextAuthority(store, now);
  const { previous } = store;
  const kept: Store = {
    authority: store.authority,
    leaf: store.leaf,
    hosts: store.hosts,
    ...(next ? { next } : {}),
    ...(previous && previous.notAfter > now ? { previous } : {}),
  };
  const sameHosts = JSON.stringify(store.hosts) === JSON.stringify(hosts);
  if (sameHosts && daysLeft(store.leaf, now) > RENEW_BEFORE_DAYS) return kept;
  const ready = next !== undefined && now - next.notBefore >= OVERLAP_DAYS * DAY;
  const signer = ready || store.authority.notAfter <= now ? (next ?? store.authority) : store.authority;
  const leaf = await (await issuer()).issueLeaf(signer, hosts, now, LEAF_DAYS);
  if (signer === store.authority) return { ...kept, leaf, hosts: [...hosts] };
  const { cert, notBefore, notAfter } = store.authority;
  return { authority: signer, previous: { cert, notBefore, notAfter }, leaf, hosts: [...hosts] };
}

/** A successor is made while the authority can still sign one more full certificate. */
async function nextAuthority(store: Store, now: number): Promise<KeyedCertificate | undefined> {
  if (store.next) return store.next;
  const due = daysLeft(store.authority, now) <= LEAF_DAYS + RENEW_BEFORE_DAYS;
  return due ? (await issuer()).issueAuthority(now, AUTHORITY_DAYS) : undefined;
}

function daysLeft({ notAfter }: { notAfter: number }, now: number): number {
  return (notAfter - now) / DAY;
}

function bundleOf({ authority, next, previous }: Store): string {
  return [authority, next, previous].flatMap((one) => (one ? [one.cert.trimEnd()] : [])).join('\n');
}

async function readStore(path: string): Promise<Store | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return storeSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new CertificateError(
      'certificate_store_invalid',
      `${path} does not hold webhook certificates; remove it to have new ones made, then apply the guard manifests again`,
      { cause: error },
    );
  }
}
