import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EVENT_DATA, EVENT_TYPES } from './event-data.ts';

const FOLDER = join(import.meta.dirname, '../../docs/schemas/events');

describe('published schemas of events', () => {
  it('are of every event there is', () => expect(EVENT_TYPES).toHaveLength(14));

  it.each(EVENT_TYPES)('%s is as it is published', async (type) => {
    const schema = { title: type, ...z.toJSONSchema(EVENT_DATA[type], { io: 'input' }) };
    await expect(`${JSON.stringify(schema, undefined, 2)}\n`).toMatchFileSnapshot(join(FOLDER, `${type}.schema.json`));
  });
});
