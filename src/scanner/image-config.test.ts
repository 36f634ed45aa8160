import { describe, expect, it } from 'vitest';
import { readImageConfig, stepsOfLayers } from './image-config.ts';

const config = (history: unknown, rest: object = {}) =>
  readImageConfig({ os: 'linux', architecture: 'arm64', history, ...rest });

describe('the configuration of an image', () => {
  it('gives the step of every layer, without the steps that made none', () => {
    const read = config([
      { created_by: 'ADD rootfs.tar / # buildkit' },
      { created_by: 'CMD ["sh"]', empty_layer: true },
      { created_by: 'RUN apk add curl' },
      { comment: 'no created_by' },
    ]);
    expect(read?.steps).toEqual(['ADD rootfs.tar / # buildkit', 'RUN apk add curl', undefined]);
    expect(read && stepsOfLayers(read, 3)).toEqual(read?.steps);
    expect(read && stepsOfLayers(read, 2)).toEqual([]);
  });

  it.each([
    [{}, 'linux/unknown'],
    [{ os: 'windows', architecture: 'amd64' }, 'windows/amd64'],
    [{ architecture: 'arm', variant: 'v7' }, 'linux/arm/v7'],
    [{ os: 7, architecture: null }, 'linux/unknown'],
  ])('of %j is for %s', (value, platform) => {
    expect(readImageConfig(value)?.platform).toBe(platform);
  });

  it.each([
    ['nothing', null],
    ['a list', []],
    ['a text', 'x'],
  ])('is not %s', (_what, value) => {
    expect(readImageConfig(value)).toBeUndefined();
  });

  it('may hold anything in its members', () => {
    expect(config('x', { rootfs: { diff_ids: [1, 'sha256:ab', null] } })?.diffIds).toEqual(['', 'sha256:ab', '']);
    expect(config([null, 7, [], { created_by: 7 }, { created_by: 'x'.repeat(9000) }])?.steps).toEqual([
      undefined,
      'x'.repeat(4096),
    ]);
    expect(config([{ created_by: '\ud800' }])?.steps).toEqual(['\ufffd']);
  });
});
