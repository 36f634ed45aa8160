import type { TlsMaterial } from '../admission/server.ts';

/** The certificate the webhook serves, from wherever it comes. */
export interface GuardCertificates {
  /** What to serve to the next connection. */
  tls(): TlsMaterial;
  /** Short name of it, for the other replicas. */
  serves(): string;
  /** PEM of the authorities to trust; undefined when somebody else says that. */
  caBundle(): string | undefined;
  /** End of what is served, epoch ms. */
  endsAt(): number;
  /** Looks for changes and carries them out. To be called every few seconds; throws when it could not look. */
  step(): Promise<void>;
  /** Something is under way: look again soon. */
  busy(): boolean;
  /** One sentence when something is wrong, for readiness. */
  problem(): string | undefined;
}

/** How long before its end a certificate that nobody renewed is a problem. */
const ENDS_SOON_MS = 14 * 86_400_000;

/** A sentence about a certificate that ends soon or has ended. */
export function endProblem(endsAt: number, now: number): string | undefined {
  const days = Math.floor((endsAt - now) / 86_400_000);
  if (endsAt <= now) return `the certificate of the webhook has ended ${new Date(endsAt).toISOString()}`;
  return endsAt - now < ENDS_SOON_MS
    ? `the certificate of the webhook ends in ${days} days and was not renewed`
    : undefined;
}
