import type { Readable } from 'node:stream';
import { CodedError } from '../platform/errors.ts';

/** `too_large` for one review · `too_many` large ones at once. `statusCode` is what the server answers. */
export class BodyError extends CodedError<'too_large' | 'too_many'> {
  readonly statusCode: 413 | 503;

  constructor(code: 'too_large' | 'too_many', message: string) {
    super(code, message);
    this.statusCode = code === 'too_large' ? 413 : 503;
  }
}

/** The bytes of a request, which are held until they are released. */
export interface HeldBody {
  readonly bytes: Buffer;
  release(): void;
}

/** A body that comes in. */
export interface ReceivedBody {
  readonly add: (chunk: Buffer) => void;
  /** It is whole. */
  readonly end: () => void;
  /** Nothing more comes of it. */
  readonly fail: (error: Error) => void;
}

/** Reads the bodies of requests, and knows how much is held of all of them. */
export interface ReviewBodies {
  /** Gives the body to `done` once it is whole, or a `BodyError`, or what it fails with: once, whatever comes later. */
  receive(announced: number | undefined, done: (error: Error | null, body?: HeldBody) => void): ReceivedBody;
  /** The same for what a stream gives. */
  read(stream: Readable, announced: number | undefined, done: (error: Error | null, body?: HeldBody) => void): void;
  /** Bytes of bodies that are being received or wait to be decided. */
  held(): number;
}

const NOTHING = Buffer.alloc(0);
const LEAST_ROOM = 4096;

interface Receiving {
  giveUp(error: BodyError): void;
}

/**
 * Reads bodies of up to `largest` bytes. Where all together pass `most`, the one that has been coming in for longest is
 * given up, since whoever means it sends it at once: half-sent bodies neither fill the memory nor keep others out.
 */
export function createReviewBodies({
  largest,
  most,
}: {
  readonly largest: number;
  readonly most: number;
}): ReviewBodies {
  /** Those of which more is to come, in the order they began. What comes in one piece never waits here: most do. */
  const receiving = new Set<Receiving>();
  let held = 0;

  function makeRoom(): void {
    for (const one of receiving) {
      if (held <= most) return;
      one.giveUp(new BodyError('too_many', `the reviews that come in at once have more than ${most} bytes together`));
    }
  }

  function receive(announced: number | undefined, done: (error: Error | null, body?: HeldBody) => void): ReceivedBody {
    let bytes: Buffer = NOTHING;
    let length = 0;
    let isOver = false;
    const keepIn = (place: Buffer): void => {
      held += place.length - bytes.length;
      bytes = place;
    };
    const release = (): void => keepIn(NOTHING);
    const end = (error: Error | null, body?: HeldBody): void => {
      if (isOver) return;
      isOver = true;
      if (length > 0) receiving.delete(self);
      if (error) release();
      done(error, body);
    };
    const self: Receiving = { giveUp: end };
    const tooLarge = (): void => {
      end(new BodyError('too_large', `the review is larger than ${largest} bytes`));
    };
    if (announced !== undefined && announced > largest) tooLarge();
    return {
      add(chunk) {
        if (isOver || chunk.length === 0) return;
        const whole = length + chunk.length;
        if (whole > largest) {
          tooLarge();
          return;
        }
        if (length === 0) {
          keepIn(chunk);
          if (whole !== announced) receiving.add(self);
        } else {
          // Pieces of a few bytes, kept as they come, would cost a hundred times their size.
          if (whole > bytes.length) keepIn(copied(bytes, roomFor(whole, announced ?? largest, largest)));
          chunk.copy(bytes, length);
        }
        length = whole;
        if (held > most) makeRoom();
      },
      end() {
        end(null, { bytes: bytes.subarray(0, length), release });
      },
      fail: end,
    };
  }

  return {
    held: () => held,
    receive,
    read(stream, announced, done) {
      const body = receive(announced, done);
      stream.on('data', body.add).on('end', body.end).on('error', body.fail);
    },
  };
}

/** At least `needed`, more for what follows, and no more than the announced where it keeps to that. */
function roomFor(needed: number, announced: number, largest: number): number {
  return Math.min(Math.max(2 * needed, LEAST_ROOM), announced < needed ? largest : announced);
}

function copied(bytes: Buffer, room: number): Buffer {
  const place = Buffer.allocUnsafeSlow(room);
  bytes.copy(place);
  return place;
}
