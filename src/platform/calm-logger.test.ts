import { expect, it } from 'vitest';
import { calmLogger } from './calm-logger.ts';
import { fixedClock } from './clock.ts';
import { CodedError } from './errors.ts';
import { type Logger, silentLogger } from './logger.ts';

function recording() {
  const said: unknown[] = [];
  const clock = fixedClock(0);
  const inner: Logger = {
    ...silentLogger,
    error: (fields, message) => said.push([message, fields]),
    info: (_, message) => said.push(message),
  };
  return { said, clock, logger: calmLogger(inner, clock) };
}

it('says the same once a minute, with how often it came in between', () => {
  const { said, clock, logger } = recording();
  for (const url of ['/a', '/b', '/c']) logger.error({ error: 'the disk is full', url }, 'request failed');
  expect(said).toEqual([['request failed', { error: 'the disk is full', url: '/a' }]]);
  clock.advance(60_000);
  logger.error({ error: 'the disk is full', url: '/d' }, 'request failed');
  expect(said.at(-1)).toEqual(['request failed', { error: 'the disk is full', url: '/d', repeated: 2 }]);
});

it('says what differs in message, error or details at once, and everything that is no warning', () => {
  const { said, logger } = recording();
  logger.error({ err: new Error('one') }, 'request failed');
  logger.error({ err: new Error('two') }, 'request failed');
  logger.error({ err: new Error('two') }, 'something else failed');
  logger.error({ digest: 'a' }, 'lost');
  logger.error({ digest: 'b' }, 'lost');
  for (const _ of [1, 2]) logger.info({}, 'hello');
  expect(said).toHaveLength(7);
});

it('forgets the oldest of very many', () => {
  const { said, logger } = recording();
  for (let at = 0; at < 1000; at += 1) logger.error({ error: String(at) }, 'failed');
  logger.error({ error: '999' }, 'failed');
  expect(said).toHaveLength(1000);
  logger.error({ error: '0' }, 'failed');
  expect(said).toHaveLength(1001);
});

class OwnError extends CodedError<'away'> {}

it('takes the trace of calls from errors of ours, and leaves it to all others', () => {
  const { said, logger } = recording();
  const foreign = new TypeError('x is not a function');
  logger.error({ err: new OwnError('away', 'the disk is away'), digest: 'a' }, 'lost');
  logger.error({ err: foreign }, 'lost');
  expect(said).toEqual([
    ['lost', { error: 'the disk is away', code: 'away', digest: 'a' }],
    ['lost', { err: foreign }],
  ]);
});
