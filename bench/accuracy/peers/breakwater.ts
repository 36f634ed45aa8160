import { resolve } from 'node:path';
import { z } from 'zod';
import type { Tool } from '../facts.ts';
import { packageOfPurl } from './purl.ts';
import { run } from './run.ts';

const PROGRAM = resolve(import.meta.dirname, '../../../bin/breakwater.mjs');

const reportSchema = z.object({
  packages: z.array(z.object({ purl: z.string() })),
  findings: z.array(
    z.object({ id: z.string(), aliases: z.array(z.string()), advisories: z.array(z.string()), purl: z.string() }),
  ),
});

/** The program of this checkout with an advisory database. */
export function breakwater(database: string, version: string): Tool {
  return {
    name: 'Breakwater',
    version,
    async scan(archive) {
      const text = await run(process.execPath, [PROGRAM, 'scan', archive, '--db', database, '-o', 'json']);
      const { packages, findings } = reportSchema.parse(JSON.parse(text));
      return {
        packages: packages.flatMap(({ purl }) => packageOfPurl(purl) ?? []),
        findings: findings.flatMap(({ id, aliases, advisories, purl }) => {
          const found = packageOfPurl(purl);
          return found ? [{ package: found, ids: [id, ...aliases, ...advisories] }] : [];
        }),
      };
    },
  };
}
