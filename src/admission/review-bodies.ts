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
    let chunks: Buffer[] = [];
    let length = 0;
    let isOver = false;
    const release = (): void => {
      held -= length;
      length = 0;
      chunks = [];
    };
    const end = (error: Error | null, body?: HeldBody): void => {
      if (isOver) return;
      isOver = true;
      if (chunks.length > 0) receiving.delete(self);
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
        if (isOver) return;
        length += chunk.length;
        held += chunk.length;
        chunks.push(chunk);
        if (chunks.length === 1 && length !== announced) receiving.add(self);
        if (length > largest) tooLarge();
        else if (held > most) makeRoom();
      },
      end() {
        if (isOver) return;
        const [first] = chunks;
        end(null, { bytes: first && chunks.length === 1 ? first : Buffer.concat(chunks), release });
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
