import { asBuffer } from './bytes.ts';
import { KubernetesError } from './errors.ts';
import { PROTOBUF } from './object-forms.ts';

/** A change carries one object, and etcd keeps none above 1.5 MB. */
const LONGEST_FRAME = 8 * 1024 * 1024;
const LENGTH_BYTES = 4;
const LINE_FEED = 10;

/** Cuts an open watch reply into its events: lines of JSON, or protobuf messages with their length before them. */
export function watchFrames(body: AsyncIterable<Uint8Array>, mediaType: string): AsyncGenerator<Buffer> {
  return cut(body, mediaType === PROTOBUF ? lengthPrefixed : line);
}

/** Where the first frame of some bytes lies and where the next begins; undefined while it is not all there. */
type Frame = { readonly start: number; readonly end: number; readonly next: number } | undefined;

async function* cut(body: AsyncIterable<Uint8Array>, frameAt: (bytes: Buffer, at: number) => Frame) {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of body) {
    const bytes = rest.length === 0 ? asBuffer(chunk) : Buffer.concat([rest, chunk]);
    let at = 0;
    for (let frame = frameAt(bytes, at); frame !== undefined; frame = frameAt(bytes, at)) {
      if (frame.end > frame.start) yield bytes.subarray(frame.start, frame.end);
      at = frame.next;
    }
    rest = bytes.subarray(at);
    if (rest.length > LONGEST_FRAME + LENGTH_BYTES) throw tooLarge();
  }
}

function line(bytes: Buffer, at: number): Frame {
  const end = bytes.indexOf(LINE_FEED, at);
  return end < 0 ? undefined : { start: at, end, next: end + 1 };
}

function lengthPrefixed(bytes: Buffer, at: number): Frame {
  const start = at + LENGTH_BYTES;
  if (bytes.length < start) return undefined;
  const length = bytes.readUInt32BE(at);
  if (length > LONGEST_FRAME) throw tooLarge();
  const end = start + length;
  return bytes.length < end ? undefined : { start, end, next: end };
}

function tooLarge(): KubernetesError {
  return new KubernetesError('unexpected_reply', 'a watch event is too large');
}
