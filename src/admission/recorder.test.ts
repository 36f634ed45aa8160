import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { AdmissionFindingRow } from '../cluster/admission-findings.ts';
import { silentLogger } from '../platform/logger.ts';
import { type AdmissionFinding, createBufferedRecorder } from './recorder.ts';

const finding: AdmissionFinding = {
  at: 10,
  constraint: { kind: 'K8sAllowedRepos', name: 'repos' },
  action: 'denied',
  object: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'import-x' },
  owner: { kind: 'Job', name: 'import' },
  image: 'nginx',
  message: 'no',
  user: 'ci',
};

describe('admission recorder', () => {
  it('merges what is the same, and keeps what is left when it is closed', async () => {
    const kept: AdmissionFindingRow[] = [];
    const recorder = createBufferedRecorder({ logger: silentLogger, keep: async (rows) => void kept.push(...rows) });
    recorder.record(finding);
    recorder.record({ ...finding, at: 20, object: { ...finding.object, name: 'import-y' }, user: 'bot' });
    recorder.record({ ...finding, at: 15, action: 'warned', owner: undefined });
    await recorder.close();
    expect(kept).toHaveLength(2);
    expect(kept[0]).toMatchObject({
      ownerKind: 'Job',
      ownerName: 'import',
      name: 'import-y',
      user: 'bot',
      times: 2,
      firstAt: 10,
      lastAt: 20,
    });
    expect(kept[1]).toMatchObject({ action: 'warned', ownerKind: 'Pod', ownerName: 'import-x', times: 1 });
  });

  it('keeps later what could not be kept, never waits, and counts what was too much', async () => {
    const kept: AdmissionFindingRow[] = [];
    let away = true;
    const recorder = createBufferedRecorder({
      logger: silentLogger,
      flushMs: 5,
      async keep(rows) {
        if (away) throw new Error('database away');
        kept.push(...rows);
      },
    });
    for (let at = 0; at < 5001; at += 1) recorder.record({ ...finding, at, image: `image-${at}` });
    recorder.record({ ...finding, at: 9000, image: 'image-0' });
    expect(recorder.dropped()).toBe(1);
    await delay(30);
    expect(kept).toEqual([]);
    away = false;
    await recorder.close();
    expect(kept).toHaveLength(5000);
    expect(kept.find(({ image }) => image === 'image-0')).toMatchObject({ times: 2, firstAt: 0, lastAt: 9000 });
  });

  it('cuts long texts between characters', async () => {
    const kept: AdmissionFindingRow[] = [];
    const recorder = createBufferedRecorder({ logger: silentLogger, keep: async (rows) => void kept.push(...rows) });
    recorder.record({ ...finding, image: `${'x'.repeat(1999)}😀` });
    recorder.record({ ...finding, image: 'a\0b\ud800' });
    await recorder.close();
    expect(kept[0]?.image).toHaveLength(2000);
    expect(kept[0]?.image.isWellFormed()).toBe(true);
    expect(kept[1]?.image).toBe('a\ufffdb\ufffd');
  });

  it('keeps a part at a time, so that each fits into a request', async () => {
    const kept: (readonly AdmissionFindingRow[])[] = [];
    const recorder = createBufferedRecorder({ logger: silentLogger, keep: async (rows) => void kept.push(rows) });
    for (let at = 0; at < 1200; at += 1) recorder.record({ ...finding, image: `image-${at}` });
    for (let at = 0; at < 100; at += 1)
      recorder.record({ ...finding, image: `${'\u0001'.repeat(1990)}${at}`, message: 'm'.repeat(2000) });
    await recorder.close();
    expect(kept.flat()).toHaveLength(1300);
    expect(kept.length).toBeLessThan(10);
    for (const rows of kept) {
      expect(rows.length).toBeLessThanOrEqual(500);
      expect(JSON.stringify(rows).length).toBeLessThan(1024 * 1024);
    }
  });

  it('gives up what is refused for what it is, and goes on with the rest', async () => {
    const kept: AdmissionFindingRow[] = [];
    const recorder = createBufferedRecorder({
      logger: silentLogger,
      async keep(rows) {
        if (rows.some(({ image }) => image === 'image-0')) throw new RangeError('not this');
        kept.push(...rows);
      },
      isFinal: (error) => error instanceof RangeError,
    });
    for (let at = 0; at < 501; at += 1) recorder.record({ ...finding, image: `image-${at}` });
    recorder.record({ ...finding, image: 'image-1' });
    await recorder.close();
    expect(kept.map(({ image }) => image)).toEqual(['image-500']);
    expect(recorder.dropped()).toBe(501);
  });

  it('asks ever more seldom while nothing can be kept', async () => {
    let tries = 0;
    const recorder = createBufferedRecorder({
      logger: silentLogger,
      flushMs: 4,
      keep: async () => {
        tries += 1;
        throw new Error('away');
      },
    });
    recorder.record(finding);
    await delay(200);
    // 50 flushes at most, with pauses of 1, 3, 7 and 15 between.
    expect(tries).toBeGreaterThan(1);
    expect(tries).toBeLessThanOrEqual(6);
    await recorder.close();
  });
});
