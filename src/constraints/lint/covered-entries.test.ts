import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { tryParseReference } from '../../oci/reference.ts';
import { entryCovers } from '../../trust/match/matcher.ts';
import { coveredEntries } from './covered-entries.ts';
import { tryParseEntry } from './spellings.ts';

/** The same by looking at all pairs. */
function slowly(texts: readonly string[]): { at: number; by: number }[] {
  const entries = texts.map(tryParseEntry);
  return entries.flatMap((entry, at) => {
    if (entry === undefined) return [];
    const { registry, path, onlyBelow, scope, tag, digest } = entry;
    const end = `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
    const exact = scope === 'tag' || scope === 'digest';
    const below = exact ? [] : [`${registry}/${path ?? 'account'}/probe`];
    const whole = path === undefined || onlyBelow ? [] : [`${registry}/${path}${end}`];
    const probes = [...whole, ...below].flatMap((text) => tryParseReference(text) ?? []);
    const by = entries.findIndex(
      (other, index) =>
        other !== undefined &&
        index !== at &&
        texts[index] !== texts[at] &&
        probes.length > 0 &&
        probes.every((probe) => entryCovers(other, probe)) &&
        (index < at || other.registry !== registry || other.path !== path),
    );
    return by < 0 ? [] : [{ at, by }];
  });
}

it('finds what a look at all pairs finds', () => {
  const digest = `@sha256:${'0'.repeat(64)}`;
  const text = fc.oneof(
    fc.constantFrom('nginx', 'nginx:1', `nginx${digest}`, 'library/nginx', 'docker.io/nginx', 'docker.io', 'x/', 'x/y'),
    fc.constantFrom('docker.io/x', 'docker.io/x/', 'docker.io/library', 'docker.io/library/', 'index.docker.io/x/y:1'),
    fc.constantFrom('h.io', 'H.io/', 'h.io/p', 'h.io/p/', 'h.io/p/x', 'h.io/p/x/', 'h.io/p/x:1', 'h.io/p/x:2', '', '*'),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 7 }), (texts) => {
      expect(coveredEntries(texts, 'reference')).toEqual(slowly(texts));
    }),
    { numRuns: 5000 },
  );
});

it('as raw text an entry is covered by its beginning', () => {
  expect(coveredEntries(['h.io/p/', 'h.io/', 'mycompany/', 'docker.io/mycompany/', 'h.io/'], 'raw')).toEqual([
    { at: 0, by: 1 },
  ]);
});
