import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { usualKubeconfig } from './folders.ts';

const HOME = mkdtempSync(join(tmpdir(), 'breakwater-home-'));
afterAll(() => rmSync(HOME, { recursive: true }));

it('finds the kubeconfig that kubectl would read', () => {
  expect(usualKubeconfig({ HOME })).toBeUndefined();
  const usual = join(HOME, '.kube', 'config');
  mkdirSync(join(HOME, '.kube'));
  writeFileSync(usual, '');
  expect(usualKubeconfig({ HOME })).toBe(usual);
  expect(usualKubeconfig({ HOME, KUBECONFIG: '' })).toBe(usual);
  const other = join(HOME, 'other');
  writeFileSync(other, '');
  expect(usualKubeconfig({ HOME, KUBECONFIG: [join(HOME, 'missing'), other].join(delimiter) })).toBe(other);
  expect(usualKubeconfig({ HOME, KUBECONFIG: join(HOME, 'missing') })).toBeUndefined();
});
