import { z } from 'zod';
import { messageOf } from '../platform/errors.ts';
import { KubernetesError } from './errors.ts';
import { openEnvelope, ProtoCursor, textOf } from './protobuf.ts';

/** How objects of one kind are taken out of replies. */
export interface ObjectReader<Item> {
  readonly json: (object: Record<string, unknown>) => Item;
  /** From the bytes of the object, which are gone afterwards. Absent for kinds the API server speaks JSON about only. */
  readonly protobuf?: (object: Buffer) => Item;
}

/** A page of a list whose objects have not been read yet. */
export interface RawPage<Item> {
  readonly resourceVersion: string;
  /** Empty on the last page. */
  readonly next: string;
  /** Reads the objects one after the other. */
  items(): Iterable<Item>;
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

/** Reads the frame of a list; its objects are read by `items`. Throws `unexpected_reply`. */
export function readPage<Item>(bytes: Buffer, mediaType: string, reader: ObjectReader<Item>): RawPage<Item> {
  return mediaType === PROTOBUF && reader.protobuf !== undefined
    ? protobufPage(bytes, reader.protobuf)
    : jsonPage(bytes, reader.json);
}

/** Reads one event of a watch. Throws `unexpected_reply`. */
export function readEvent<Item>(bytes: Buffer, mediaType: string, reader: ObjectReader<Item>): WatchEvent<Item> {
  return mediaType === PROTOBUF && reader.protobuf !== undefined
    ? protobufEvent(bytes, reader.protobuf)
    : jsonEvent(bytes, reader.json);
}

function protobufPage<Item>(bytes: Buffer, read: (object: Buffer) => Item): RawPage<Item> {
  const { object } = openEnvelope(bytes);
  const list = new ProtoCursor(object);
  let resourceVersion = '';
  let next = '';
  // The list's own metadata is its first field: the next page can be asked for before this one is read.
  while (list.next()) {
    if (list.field !== 1) break;
    const metadata = list.inner();
    while (metadata.next()) {
      if (metadata.field === 2) resourceVersion = metadata.text();
      else if (metadata.field === 3) next = metadata.text();
    }
  }
  return {
    resourceVersion,
    next,
    *items() {
      const again = new ProtoCursor(object);
      while (again.next()) if (again.field === 2) yield read(again.bytes());
    },
  };
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

function jsonPage<Item>(bytes: Buffer, read: (object: Record<string, unknown>) => Item): RawPage<Item> {
  const parsed = listSchema.safeParse(parseJson(bytes.toString('utf8')));
  if (!parsed.success) throw new KubernetesError('unexpected_reply', 'the reply is not a list');
  const { metadata, items } = parsed.data;
  return {
    resourceVersion: metadata.resourceVersion ?? '',
    next: metadata.continue ?? '',
    *items() {
      for (const item of items ?? []) yield read(item);
    },
  };
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
