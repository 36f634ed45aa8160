import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { createRunHistory } from './run-history.ts';

const D1 = digestOf('1');
const D2 = digestOf('2');

describe('the run history', () => {
  it('knows when an owner was first seen with an image', () => {
    const history = createRunHistory();
    history.record({ ownerUid: 'o', image: 'nginx', at: 200 });
    history.record({ ownerUid: 'o', image: 'nginx', at: 100 });
    history.record({ ownerUid: 'o', image: 'nginx', at: 300 });
    expect(history.firstSeen('o', 'nginx', undefined)).toBe(100);
    expect(history.firstSeen('o', 'httpd', undefined)).toBeUndefined();
    expect(history.firstSeen('other', 'nginx', undefined)).toBeUndefined();
  });

  it('tells digests of one tag apart; a run of unknown digest is not a run of every digest', () => {
    const history = createRunHistory();
    history.record({ ownerUid: 'o', image: 'nginx', digest: D1, at: 100 });
    history.record({ ownerUid: 'o', image: 'httpd', at: 50 });
    expect(history.firstSeen('o', 'nginx', D1)).toBe(100);
    expect(history.firstSeen('o', 'nginx', D2)).toBeUndefined();
    expect(history.firstSeen('o', 'nginx', undefined)).toBe(100);
    expect(history.firstSeen('o', 'httpd', D1)).toBeUndefined();
  });

  it('forgets the owner that was not seen for the longest time, and no other', () => {
    const history = createRunHistory(3);
    for (const [at, ownerUid] of ['a', 'b', 'c', 'a', 'd'].entries()) history.record({ ownerUid, image: 'x', at });
    expect(history.size).toBe(3);
    expect(['a', 'b', 'c', 'd'].map((uid) => history.firstSeen(uid, 'x', undefined))).toEqual([0, undefined, 2, 4]);
  });

  it('one owner with many images or a moving tag does not push out the others', () => {
    const history = createRunHistory(1000);
    history.record({ ownerUid: 'quiet', image: 'x', at: 1 });
    for (let at = 0; at < 5000; at += 1) history.record({ ownerUid: 'runner', image: `ci/${at}`, at });
    for (let at = 0; at < 5000; at += 1) {
      history.record({ ownerUid: 'mover', image: 'x', digest: digestOf(String(at)), at });
    }
    expect(history.firstSeen('quiet', 'x', undefined)).toBe(1);
    expect(history.firstSeen('runner', 'ci/4999', undefined)).toBe(4999);
    expect(history.firstSeen('mover', 'x', digestOf('4999'))).toBe(4999);
    expect(history.size).toBe(1 + 256 + 32);
  });

  it('never takes a text for a run that is too long to name an image, recorded or loaded', () => {
    const [history, loaded] = [createRunHistory(), createRunHistory()];
    const long = `evil.example.com/${'x'.repeat(1024)}`;
    history.record({ ownerUid: 'o', image: long, at: 1 });
    history.record({ ownerUid: 'o'.repeat(10_000), image: 'nginx', at: 1 });
    loaded.load({ version: 1, owners: [['o', [[long, [['', 1]]]]]] });
    for (const one of [history, loaded]) {
      expect(one.firstSeen('o', long, undefined)).toBeUndefined();
      expect([one.size, one.characters]).toEqual([0, 0]);
    }
  });

  it('is bounded in text as well, held and saved; the oldest go first', () => {
    const history = createRunHistory();
    const image = (at: number) => `evil.example.com/${'x'.repeat(990)}/${at}`;
    for (let at = 0; at < 40_000; at += 1) history.record({ ownerUid: `o${at >> 6}`, image: image(at), at });
    expect(history.characters).toBeLessThan(25_200_000);
    expect(history.characters).toBeGreaterThan(24_000_000);
    expect(history.firstSeen('o0', image(0), undefined)).toBeUndefined();
    expect(history.firstSeen('o624', image(39_999), undefined)).toBe(39_999);
    const saved = JSON.stringify(history.save());
    expect(saved.length).toBeLessThan(5_000_000);
    const next = createRunHistory();
    next.load(JSON.parse(saved));
    expect(next.firstSeen('o624', image(39_999), undefined)).toBe(39_999);
  });

  it('counts the text it holds, whatever is forgotten', () => {
    const history = createRunHistory(300);
    for (let at = 0; at < 5000; at += 1) {
      history.record({ ownerUid: `o${at % 7}`, image: `x/${at % 600}`, digest: digestOf(String(at % 40)), at });
    }
    const { owners } = history.save() as { owners: [string, [string, [string, number][]][]][] };
    const texts = owners.flatMap(([, images]) => images.flatMap(([image, all]) => [image, ...all.map(([one]) => one)]));
    expect(history.characters).toBe(texts.join('').length);
  });

  it('comes back from JSON as it was, and takes in what another replica saw', () => {
    const digest = fc.constantFrom(undefined, D1, D2);
    const seen = fc.record({
      ownerUid: fc.constantFrom('a', 'b', 'c'),
      image: fc.constantFrom('x', 'y', '__proto__'),
      digest,
      at: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(seen), fc.array(seen), (first, second) => {
        const [one, two, both] = [createRunHistory(), createRunHistory(), createRunHistory()];
        for (const sighting of first) one.record(sighting);
        for (const sighting of second) two.record(sighting);
        for (const sighting of [...first, ...second]) both.record(sighting);
        one.load(JSON.parse(JSON.stringify(two.save())));
        expect(one.size).toBe(both.size);
        for (const { ownerUid, image, digest: of } of [...first, ...second]) {
          expect(one.firstSeen(ownerUid, image, of)).toBe(both.firstSeen(ownerUid, image, of));
        }
      }),
    );
  });

  it('saves the owners seen last where there is little room', () => {
    const history = createRunHistory();
    for (const [at, ownerUid] of ['a', 'b', 'c', 'a'].entries()) history.record({ ownerUid, image: 'x', at });
    const small = createRunHistory();
    small.load(history.save(2));
    expect(['a', 'b', 'c'].map((uid) => small.firstSeen(uid, 'x', undefined))).toEqual([0, undefined, 2]);
  });

  it('passes over what it cannot read', () => {
    const history = createRunHistory();
    for (const value of [
      undefined,
      null,
      'x',
      { owners: 'x' },
      { owners: [['a']] },
      { owners: [['a', [['x', [['sha256:1', 5]]]]]] },
      { owners: [['a', [['x', [['', 'soon']]]]]] },
      { owners: [['a', [['x', [['', Number.NaN]]]]]] },
      { owners: [[5, [['x', [['', 1]]]]]] },
    ]) {
      history.load(value);
    }
    expect(history.size).toBe(0);
    history.load({ owners: [null, ['a', [['x', [['', 7]]]]]] });
    expect(history.firstSeen('a', 'x', undefined)).toBe(7);
  });
});
