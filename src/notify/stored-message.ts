import type { Row } from '../db/schema.ts';
import type { Message } from './message.ts';

/** A message as it was kept. Its number is what receivers order by. */
export function storedMessage(row: Row<'notify_messages'>): Message {
  const { uid, id, subject, project, at, type, data } = row;
  const head = { uid, sequence: id, subject, at, ...(project === null ? {} : { project }) };
  return { ...head, type, data: JSON.parse(data) as unknown } as Message;
}
