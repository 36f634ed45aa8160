import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { makeTar } from '../../test/support/tar.ts';
import { digestOf } from '../oci/digest.ts';
import { analyseLayer } from './analyse-layer.ts';
import { createLayerAnalyser } from './analyser.ts';
import { composeInventory } from './compose.ts';
import { unpackEvidence } from './packed-evidence.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-analyser-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const layer = gzipSync(makeTar([{ name: 'lib/apk/db/installed', content: 'P:musl\nV:1.2.5-r0\n\n' }]));
const digest = digestOf(layer);

async function* pieces() {
  yield layer.subarray(0, 100);
  yield layer.subarray(100);
}

describe('createLayerAnalyser', () => {
  it('gives in a worker what analyseLayer gives here, for a file and for a stream', async () => {
    const analyser = createLayerAnalyser({ workers: 1 });
    const path = join(folder, 'layer');
    writeFileSync(path, layer);
    const expected = await analyseLayer(pieces(), { digest });
    expect(expected.files).toHaveLength(1);
    expect(await unpackEvidence(await analyser.analyse({ kind: 'file', path, digest }))).toEqual(expected);
    const stream = { kind: 'stream', open: () => Promise.resolve(pieces()), digest } as const;
    const packed = await analyser.analyse(stream);
    expect(await unpackEvidence(packed)).toEqual(expected);
    expect(await analyser.compose([{ digest, evidence: packed }])).toEqual(
      composeInventory([{ digest, evidence: expected }]),
    );
    await analyser.close();
  });

  it('rejects when the bytes cannot be had', async () => {
    const analyser = createLayerAnalyser({ workers: 1 });
    await expect(analyser.analyse({ kind: 'file', path: join(folder, 'missing') })).rejects.toThrow('ENOENT');
    await analyser.close();
  });

  it.each([
    ['packages', Buffer.from('P:a\nV:1\n\n'.repeat(1_500_000))],
    ['bytes', Buffer.alloc(60_000_000, 'x\n')],
  ])('gives incomplete evidence that names memory when a layer of %s needs too much', async (what, content) => {
    const path = join(folder, what);
    writeFileSync(path, makeTar([{ name: 'lib/apk/db/installed', content }]));
    const analyser = createLayerAnalyser({ workers: 1, memoryMb: 32 });
    expect(await unpackEvidence(await analyser.analyse({ kind: 'file', path, digest }))).toMatchObject({
      complete: false,
      gaps: [{ kind: 'limit', message: 'the layer could not be analysed: it needed more than 32 MB of memory' }],
    });
    await analyser.close();
  });

  it('gives incomplete evidence with a gap when a layer takes too long', async () => {
    const path = join(folder, 'slow');
    writeFileSync(path, gzipSync(Buffer.concat([layer, Buffer.alloc(1 << 24)])));
    const analyser = createLayerAnalyser({ workers: 1, timeoutMs: 1 });
    expect(await unpackEvidence(await analyser.analyse({ kind: 'file', path, digest }))).toMatchObject({
      complete: false,
      entries: '',
      gaps: [{ kind: 'limit', layer: digest }],
    });
    await analyser.close();
  });
});
