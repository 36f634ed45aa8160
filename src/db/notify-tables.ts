import type { Generated } from 'kysely';

/** What happened and is to be told, in the order in which it was written down for each subject. */
export interface OutboxTable {
  id: Generated<number>;
  /** Stays the same however often it is told. */
  uid: string;
  type: string;
  /** What it is about: `front/app@sha256:…`, `exception/…`. */
  subject: string;
  /** Name of the project it belongs to; null: the installation alone. */
  project: string | null;
  repository: string | null;
  severity: string | null;
  /** Events of one key that come close together are told in one message. */
  batch: string | null;
  data: string;
  at: number;
  /** Of the batch it was put into. */
  batch_id: Generated<string | null>;
  /** When messages were made of it. */
  dispatched_at: Generated<number | null>;
}

/** What is not to be told again for a while. */
export interface NotifyOnceTable {
  key: string;
  until: number;
}

export interface NotifyBatchesTable {
  id: string;
  key: string;
  type: string;
  opened_at: number;
  last_at: number;
  closed_at: number | null;
}

/** Who is told. */
export interface NotifyReceiversTable {
  id: string;
  name: string;
  /** Empty: of the installation, told of everything. */
  project_id: string;
  /** `webhook`, `slack`, `mail` or `ticket`. */
  kind: string;
  /** Encrypted at rest: the address itself is a secret for many receivers. */
  target: string;
  /** The address as it may be shown. */
  shown: string;
  /** JSON: what it is told of and how. */
  settings: string;
  paused: 0 | 1;
  created_by: string;
  created_at: number;
  /** Deliveries that failed since the last one that did not. */
  failures: number;
  /** Nothing is sent before. */
  retry_at: number;
  lease: string | null;
  leased_until: number | null;
  /** When what was held back goes out as one message. */
  digest_at: number | null;
  last_delivered_at: number | null;
  last_error: string | null;
}

/** At most two of a receiver count at a time. */
export interface NotifySecretsTable {
  id: string;
  receiver_id: string;
  /** Encrypted at rest. */
  sealed: string;
  created_at: number;
  ends_at: number | null;
}

/** One event, or many as one, for one receiver. The number is what receivers order by. */
export interface NotifyMessagesTable {
  id: Generated<number>;
  uid: string;
  receiver_id: string;
  type: string;
  subject: string;
  project: string | null;
  data: string;
  at: number;
  batch_id: string | null;
  /** `waiting`, `held` (for a digest), `delivered`, `dead`. */
  state: string;
  attempts: number;
  next_at: number;
  /** Given up after that. */
  gives_up_at: number;
  settled_at: number | null;
  last_error: string | null;
}

/** Tickets that were opened elsewhere. */
export interface NotifyTicketsTable {
  receiver_id: string;
  vulnerability: string;
  repository: string;
  ticket: string;
  /** `open` or `closed`. */
  state: string;
  /** Hash of what it says. */
  content: string;
  updated_at: number;
}

export interface NotifyTables {
  outbox: OutboxTable;
  notify_once: NotifyOnceTable;
  notify_batches: NotifyBatchesTable;
  notify_receivers: NotifyReceiversTable;
  notify_secrets: NotifySecretsTable;
  notify_messages: NotifyMessagesTable;
  notify_tickets: NotifyTicketsTable;
}
