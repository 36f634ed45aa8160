import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { dataPath, hasData } from '../../../test/support/data.ts';
import { parseCsafDocument } from './csaf/parse.ts';
import { streamCsafDocument } from './csaf/stream.ts';
import { discoverFeeds } from './discover.ts';
import { readFeed } from './index.ts';
import { openMaybeGzip } from './open.ts';

describe.skipIf(!hasData)('real feeds', () => {
  it('are all found, and read without a malformed record', async () => {
    const files = (await discoverFeeds(dataPath(''))).filter(({ kind }) => kind !== 'osv' && kind !== 'secdb');
    expect(new Set(files.map(({ kind }) => kind))).toEqual(
      new Set(['csaf', 'cvelist', 'debian-tracker', 'epss', 'kev', 'nvd']),
    );
    for (const file of files) {
      let facts = 0;
      for await (const record of readFeed(file)) {
        facts += record.facts.filter(({ kind }) => kind !== 'problem').length;
        expect(record.facts.filter((fact) => fact.kind === 'problem' && fact.problem === 'malformed-record')).toEqual(
          [],
        );
      }
      expect(facts).toBeGreaterThan(0);
    }
  });

  it.skipIf(!hasData).each(hasData ? readdirSync(dataPath('csaf')) : [])(
    '%s says the same at once and token by token',
    async (name) => {
      const path = dataPath('csaf', name);
      const bytes = readFileSync(path);
      const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
      const source = name.endsWith('.gz') ? openMaybeGzip(path) : createReadStream(path);
      expect(await streamCsafDocument(source, name)).toEqual(parseCsafDocument(text, name));
    },
  );
});
