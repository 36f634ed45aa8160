import { expect, it } from 'vitest';
import { createGlassHistory } from './break-glass-history.ts';

const admission = (at: number, images: readonly string[]) => ({
  uid: `u${at}`,
  root: `u${at}`,
  ticket: 'OPS-1',
  user: 'ann',
  at,
  images,
});

it('never keeps an image text that is too long to name an image', () => {
  const glass = createGlassHistory();
  const long = 'x'.repeat(1025);
  glass.record(admission(1, [long, 'nginx']));
  glass.record({ ...admission(2, []), uid: 'u'.repeat(5000) });
  expect(glass.admitted('u1')?.images).toEqual(['nginx']);
  expect(JSON.stringify(glass.save()).length).toBeLessThan(200);
});

it('is bounded in text: the oldest are forgotten', () => {
  const glass = createGlassHistory();
  const images = (at: number) => Array.from({ length: 64 }, (_, image) => `${at}-${image}-${'x'.repeat(1000)}`);
  for (let at = 0; at < 200; at += 1) glass.record(admission(at, images(at)));
  expect(JSON.stringify(glass.save()).length).toBeLessThan(2_500_000);
  expect(glass.admitted('u0')).toBeUndefined();
  expect(glass.admitted('u199')?.images).toHaveLength(64);
  for (let at = 0; at < 200; at += 1) glass.forget(`u${at}`);
  for (let at = 0; at < 30; at += 1) glass.record(admission(at, images(at)));
  expect(glass.admitted('u0')).toBeDefined();
});
