import { toRfc3339 } from '../../platform/clock.ts';
import type { Message } from '../message.ts';

export const CLOUDEVENTS_TYPE = 'application/cloudevents+json; charset=utf-8';
/** Digits of a sequence: the extension compares them as text. */
const SEQUENCE_DIGITS = 16;

/** CloudEvents 1.0, structured mode, with the `sequence` extension. `source` names this installation. */
export function cloudEvent(message: Message, source: string): string {
  const { uid, type, subject, at, sequence, data } = message;
  return JSON.stringify({
    specversion: '1.0',
    id: uid,
    source,
    type: `breakwater.${type}`,
    subject,
    time: toRfc3339(at),
    datacontenttype: 'application/json',
    sequence: String(sequence).padStart(SEQUENCE_DIGITS, '0'),
    data,
  });
}
