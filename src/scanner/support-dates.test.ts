import { describe, expect, it } from 'vitest';
import type { Distribution } from '../model/inventory.ts';
import { endOfLife } from './support-dates.ts';
import { SUPPORT_DATES } from './support-dates-table.ts';

const system = (id: string, version?: string, more: Partial<Distribution> = {}): Distribution => ({
  id,
  ...(version === undefined ? {} : { version }),
  idLike: [],
  rolling: false,
  ...more,
});

describe('endOfLife', () => {
  it.each<[Distribution | undefined, string | undefined]>([
    [system('alpine', '3.20.3'), '2026-04-01'],
    [system('alpine', '3.2.0'), '2017-05-01'],
    [system('debian', '12'), '2028-06-30'],
    [system('debian', '12.5'), '2028-06-30'],
    [system('ubuntu', '22.04'), '2027-06-01'],
    [system('rhel', '8.6'), '2029-05-31'],
    [system('centos', '8'), '2021-12-31'],
    [system('centos', '8', { prettyName: 'CentOS Stream 8' }), '2024-05-31'],
    [system('amzn', '2'), '2026-06-30'],
    [system('amzn', '2018.03'), '2023-12-31'],
    [system('amzn', '2023'), '2029-06-30'],
    [system('sles', '15.5'), '2024-12-31'],
    [system('sles', '15'), '2019-12-31'],
    [system('sles', '15.9'), undefined],
    [system('alpine', '3.99.1'), undefined],
    [system('alpine', '3.21.0_alpha20240923', { rolling: true }), undefined],
    [system('debian', '13', { rolling: true }), undefined],
    [system('arch'), undefined],
    [system('constructor', 'name'), undefined],
    [undefined, undefined],
  ])('%o: %s', (distribution, day) => {
    expect(endOfLife(distribution)).toBe(day);
  });
});

describe('the table', () => {
  const rows = [...SUPPORT_DATES].flatMap(([id, { until, parts }]) =>
    [...until].map(([release, day]) => ({ id, release, day, parts })),
  );

  it('has days that exist', () => {
    for (const { id, release, day } of rows)
      expect(new Date(day).toISOString().slice(0, 10), `${id} ${release}`).toBe(day);
  });

  it('names no release that a version cannot lead to', () => {
    for (const { id, release, parts } of rows)
      expect(release.split('.').length, `${id} ${release}`).toBeLessThanOrEqual(parts);
  });
});
