import type { Row } from '../db/schema.ts';
import type { EventData } from './event-data.ts';
import type { Filtered } from './receiver.ts';

type Batched = EventData['VERDICT_CHANGED'] & EventData['GRACE_ENDING'];

/** An event of the outbox with what can be summed up of it. */
export type ToldEvent = Row<'outbox'> &
  Filtered & {
    readonly total: number;
    readonly released: number;
    readonly items: readonly (Batched['changes'][number] | Batched['images'][number])[];
  };

/** Its data is read once, whoever wants to know of it. */
export function toldEvent(row: Row<'outbox'>): ToldEvent {
  const data = JSON.parse(row.data) as Partial<Batched>;
  return {
    ...row,
    total: data.total ?? 1,
    blocked: data.blocked ?? 0,
    released: data.released ?? 0,
    items: data.changes ?? data.images ?? [],
  };
}
