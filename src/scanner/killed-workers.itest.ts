import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { makeTar } from '../../test/support/tar.ts';
import { digestOf } from '../oci/digest.ts';
import { createLayerAnalyser } from './analyser.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-killed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const layer = makeTar([{ name: 'lib/apk/db/installed', content: 'P:musl\nV:1.2.5-r0\n\n' }]);
const digest = digestOf(layer);
const path = join(folder, 'layer');
writeFileSync(path, layer);

/** The processes that this one started and that are still there. */
function children(): number[] {
  const threads = `/proc/${process.pid}/task`;
  return readdirSync(threads).flatMap((thread) =>
    readFileSync(join(threads, thread, 'children'), 'latin1')
      .split(' ')
      .filter(Boolean)
      .map(Number),
  );
}

describe.runIf(process.platform === 'linux')('an analysis whose worker somebody else kills', () => {
  it('is done by another worker, and leaves nothing that speaks against the layer', async () => {
    const analyser = createLayerAnalyser({ workers: 1 });
    const analysis = analyser.analyse({ kind: 'file', path, digest });
    const killed = children();
    expect(killed).toHaveLength(1);
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    expect(await analysis).toMatchObject({ complete: true });
    await analyser.close();
  });

  it('fails when that is killed too, and says nothing of the layer', async () => {
    const analyser = createLayerAnalyser({ workers: 1 });
    const outcome = analyser.analyse({ kind: 'file', path, digest }).catch((error: unknown) => error);
    while ((await Promise.race([outcome, sleep(5)])) === undefined)
      for (const pid of children()) process.kill(pid, 'SIGKILL');
    expect(await outcome).toMatchObject({ code: 'worker_died', message: 'the worker died: SIGKILL ended it' });
    expect(await analyser.analyse({ kind: 'file', path, digest })).toMatchObject({ complete: true });
    await analyser.close();
  });
});
