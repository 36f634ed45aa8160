import type { BlobStore } from '../blobs/blob-store.ts';
import type { Logger } from '../platform/logger.ts';
import type { Audit } from './audit.ts';
import type { BlobGate, Caller, IngestObserver, Limits, MirrorSource, PullGate, PullObserver } from './ports.ts';
import type { Reads } from './reads.ts';
import type { ContentDeps } from './repositories.ts';

/** Everything the distribution API needs; `app` fits the pieces. */
export interface RegistryDeps extends ContentDeps {
  readonly blobs: BlobStore;
  readonly reads: Reads;
  readonly ledger: Audit['ledger'];
  readonly logger: Logger;
  /**
   * Who sent this `Authorization` header (undefined = none was sent). Gives undefined for credentials that are missing,
   * wrong or expired: the reply is then 401 with a challenge. `address` is where the request comes from. May give a nameless caller for a request without credentials.
   */
  authenticate(authorization: string | undefined, address: string): Promise<Caller | undefined>;
  /** Origin clients use, https://registry.example.com; absent: what each request itself says. */
  readonly publicUrl?: string | undefined;
  /** Name of this registry in challenges and tokens. */
  readonly service: string;
  readonly limits?: Limits | undefined;
  readonly gate: PullGate;
  /** Absent: blobs are sent to whoever may pull. */
  readonly blobGate?: BlobGate | undefined;
  readonly ingest: IngestObserver;
  readonly mirror?: MirrorSource | undefined;
  readonly pulls?: PullObserver | undefined;
}
