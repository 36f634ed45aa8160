import { PassThrough } from 'node:stream';
import { setImmediate as immediately } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { BodyError, createReviewBodies, type HeldBody } from './review-bodies.ts';

function reading(bodies: ReturnType<typeof createReviewBodies>, announced?: number) {
  const stream = new PassThrough();
  const got: (Error | HeldBody)[] = [];
  bodies.read(stream, announced, (error, body) => {
    if (error) got.push(error);
    else if (body) got.push(body);
  });
  return { stream, got };
}

it('holds what it has read until it is released', async () => {
  const bodies = createReviewBodies({ largest: 100, most: 1000 });
  const { stream, got } = reading(bodies, 4);
  stream.write('ab');
  stream.end('cd');
  await immediately();
  await immediately();
  const [body] = got;
  expect(body instanceof Error ? '' : body?.bytes.toString()).toBe('abcd');
  expect(bodies.held()).toBe(4);
  if (body && !(body instanceof Error)) body.release();
  expect(bodies.held()).toBe(0);
});

it('refuses what is too large, announced or not', async () => {
  const bodies = createReviewBodies({ largest: 10, most: 1000 });
  expect(reading(bodies, 11).got[0]).toMatchObject({ code: 'too_large', statusCode: 413 });
  const { stream, got } = reading(bodies);
  stream.write('x'.repeat(11));
  await immediately();
  expect(got[0]).toBeInstanceOf(BodyError);
  expect(bodies.held()).toBe(0);
});

it('gives up the one that has been coming for longest where all are too much', async () => {
  const bodies = createReviewBodies({ largest: 100, most: 150 });
  const [slow, other, third] = [reading(bodies), reading(bodies), reading(bodies)];
  slow.stream.write('x'.repeat(90));
  await immediately();
  other.stream.write('x'.repeat(50));
  await immediately();
  expect(bodies.held()).toBe(140);
  third.stream.end('x'.repeat(40));
  await immediately();
  await immediately();
  expect(slow.got[0]).toMatchObject({ code: 'too_many', statusCode: 503 });
  expect(other.got).toEqual([]);
  expect(third.got[0]).not.toBeInstanceOf(Error);
  expect(bodies.held()).toBe(90);
  other.stream.destroy(new Error('aborted'));
  await immediately();
  expect(other.got[0]).toBeInstanceOf(Error);
  expect(bodies.held()).toBe(40);
});

it('keeps what comes in small pieces in one place', () => {
  const bodies = createReviewBodies({ largest: 100_000, most: 1_000_000 });
  const sent = Buffer.from(Array.from({ length: 50_000 }, (_, n) => n % 251));
  for (const announced of [sent.length, 1, undefined]) {
    const got: (HeldBody | undefined)[] = [];
    const body = bodies.receive(announced, (error, held) => got.push(error ? undefined : held));
    for (const byte of sent) {
      body.add(Buffer.from([byte]));
      body.add(Buffer.alloc(0));
    }
    expect(bodies.held()).toBeLessThanOrEqual(announced === sent.length ? sent.length : 2 * sent.length);
    body.end();
    expect(got).toHaveLength(1);
    expect(got[0]?.bytes.equals(sent)).toBe(true);
    got[0]?.release();
    expect(bodies.held()).toBe(0);
  }
});
