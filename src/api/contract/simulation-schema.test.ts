import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { simulation } from './simulations.ts';

const PUBLISHED = join(import.meta.dirname, '../../../docs/schemas/simulation.schema.json');

it('the published schema of simulations is that of the contract', async () => {
  const schema = { title: 'Simulation', ...z.toJSONSchema(simulation) };
  await expect(`${JSON.stringify(schema, undefined, 2)}\n`).toMatchFileSnapshot(PUBLISHED);
});
