import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { explainedImage } from './why.ts';

it('what "why" answers is as it is published', async () => {
  const schema = { title: 'Why an image is decided upon as it is', ...z.toJSONSchema(explainedImage) };
  const path = join(import.meta.dirname, '../../../docs/schemas/why.schema.json');
  await expect(`${JSON.stringify(schema, undefined, 2)}\n`).toMatchFileSnapshot(path);
});
