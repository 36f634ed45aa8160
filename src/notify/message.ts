import type { EventData, EventType } from './event-data.ts';

/** What was held back for a while, as one message. */
export interface DigestData {
  readonly from: string;
  readonly to: string;
  readonly total: number;
  readonly byType: Readonly<Record<string, number>>;
  /** The first of them, one sentence each. */
  readonly lines: readonly string[];
}

/** What a receiver is told, whatever its form. */
export type Message = {
  /** The same however often it is sent. */
  readonly uid: string;
  /** Grows: the greater of two about one subject is the newer. */
  readonly sequence: number;
  readonly subject: string;
  readonly project?: string;
  /** Epoch ms. */
  readonly at: number;
} & (
  | { [Type in EventType]: { readonly type: Type; readonly data: EventData[Type] } }[EventType]
  | { readonly type: 'TEST'; readonly data: { readonly text: string } }
  | { readonly type: 'DIGEST'; readonly data: DigestData }
  /** For receivers that keep tickets: bring those of this repository up to date. */
  | { readonly type: 'TICKETS'; readonly data: { readonly repository: string } }
);
