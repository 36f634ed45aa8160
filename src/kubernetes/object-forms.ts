import { z } from 'zod';
import { messageOf } from '../platform/errors.ts';
import { readBounded } from '../platform/streams.ts';
import { asBuffer } from './bytes.ts';
import { KubernetesError } from './errors.ts';
import type { Reply } from './kubernetes-client.ts';
import { openEnvelope, ProtoCursor, textOf } from './protobuf.ts';
import { type ListHead, ProtobufList } from './protobuf-list.ts';

/** How objects of one kind are taken out of replies. */
export interface ObjectReader<Item> {
  readonly json: (object: Record<string, unknown>) => Item;
  /** From the bytes of the object, which are gone afterwards. Absent for kinds the API server speaks JSON about only. */
  readonly protobuf?: (object: Buffer) => Item;
}

export type WatchEvent<Item> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly version: string; readonly item: Item }
  | { readonly type: 'BOOKMARK'; readonly version: string }
  | { readonly type: 'ERROR'; readonly code: number; readonly message: string };

export const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const JSON_TYPE = 'application/json';

/** What to ask for: protobuf where it can be read, which costs the API server and us a fraction. */
export function acceptFor(reader: ObjectReader<unknown>, watching: boolean): string {
  if (reader.protobuf === undefined) return JSON_TYPE;
  return watching ? `${PROTOBUF};stream=watch, ${JSON_TYPE};stream=watch, ${JSON_TYPE}` : `${PROTOBUF}, ${JSON_TYPE}`;
}

/** Hears of a page of a list: first where it stands, then of its objects. */
export interface PageObserver<Item> {
  head(head: ListHead): void;
  item(item: Item): void;
}

/** More than pages are; one in JSON is in memory as a whole. */
const LARGEST_PAGE = 256 * 1024 * 1024;

/** Reads a page of a list. Throws `unexpected_reply`; what was read until then was handed on already. */
export async function readPage<Item>(
  { mediaType, body }: Reply,
  reader: ObjectReader<Item>,
  observer: PageObserver<Item>,
): Promise<void> {
  const { protobuf } = reader;
  if (mediaType !== PROTOBUF || protobuf === undefined) {
    jsonPage(await readBounded(body, LARGEST_PAGE, 'a page of a list'), reader.json, observer);
    return;
  }
  const list = new ProtobufList({
    head: (head) => observer.head(head),
    object: (bytes) => observer.item(protobuf(bytes)),
  });
  for await (const piece of body) list.take(asBuffer(piece));
  list.end();
}

/** Reads one event of a watch. Throws `unexpected_reply`. */
export function readEvent<Item>(bytes: Buffer, mediaType: string, reader: ObjectReader<Item>): WatchEvent<Item> {
  return mediaType === PROTOBUF && reader.protobuf !== undefined
    ? protobufEvent(bytes, reader.protobuf)
    : jsonEvent(bytes, reader.json);
}

function protobufEvent<Item>(bytes: Buffer, read: (object: Buffer) => Item): WatchEvent<Item> {
  const event = new ProtoCursor(bytes);
  let type = '';
  let envelope: Buffer | undefined;
  while (event.next()) {
    if (event.field === 1) type = event.text();
    else if (event.field === 2) {
      const extension = event.inner();
      while (extension.next()) if (extension.field === 1) envelope = extension.bytes();
    }
  }
  if (envelope === undefined) throw unreadableEvent();
  const { object } = openEnvelope(envelope);
  if (type === 'ERROR') {
    let code = 0;
    let message = '';
    const status = new ProtoCursor(object);
    while (status.next()) {
      if (status.field === 3) message = status.text();
      else if (status.field === 6) code = status.number();
    }
    return { type, code, message };
  }
  const version = protobufVersion(object);
  if (type === 'BOOKMARK') return { type, version };
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') throw unreadableEvent();
  return { type, version, item: read(object) };
}

/** `metadata.resourceVersion`: fields 1 and 6 of every kind. */
function protobufVersion(object: Buffer): string {
  const cursor = new ProtoCursor(object);
  while (cursor.next()) if (cursor.field === 1) return textOf(cursor.inner(), 6);
  return '';
}

const listSchema = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string().optional(), continue: z.string().optional() }),
  items: z.array(z.looseObject({})).nullish(),
});

const eventSchema = z.looseObject({
  type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']),
  object: z.looseObject({
    code: z.number().optional(),
    message: z.string().optional(),
    metadata: z.looseObject({ resourceVersion: z.string().optional() }).optional(),
  }),
});

function jsonPage<Item>(
  bytes: Buffer,
  read: (object: Record<string, unknown>) => Item,
  observer: PageObserver<Item>,
): void {
  const parsed = listSchema.safeParse(parseJson(bytes.toString('utf8')));
  if (!parsed.success) throw new KubernetesError('unexpected_reply', 'the reply is not a list');
  const { metadata, items } = parsed.data;
  observer.head({ resourceVersion: metadata.resourceVersion ?? '', next: metadata.continue ?? '' });
  for (const item of items ?? []) observer.item(read(item));
}

function jsonEvent<Item>(bytes: Buffer, read: (object: Record<string, unknown>) => Item): WatchEvent<Item> {
  const parsed = eventSchema.safeParse(parseJson(bytes.toString('utf8')));
  if (!parsed.success) throw unreadableEvent();
  const { type, object } = parsed.data;
  const version = object.metadata?.resourceVersion ?? '';
  if (type === 'ERROR') return { type, code: object.code ?? 0, message: object.message ?? 'the watch failed' };
  return type === 'BOOKMARK' ? { type, version } : { type, version, item: read(object) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new KubernetesError('unexpected_reply', `a reply of the API server is not JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function unreadableEvent(): KubernetesError {
  return new KubernetesError('unexpected_reply', 'a watch event cannot be read');
}
