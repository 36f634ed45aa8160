import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildWithFault, FAULTS } from './faults.ts';

it.each(FAULTS)('this mistake can be planted in the built program: $name', async (fault) => {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-fault-'));
  try {
    await expect(buildWithFault(fault, folder)).resolves.toMatch(/breakwater\.mjs$/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
