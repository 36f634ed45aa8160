import { z } from 'zod';
import { requirePeer } from '../../../test/support/peers.ts';
import type { Tool } from '../facts.ts';
import { packageOfPurl } from './purl.ts';
import { builtVersion, run } from './run.ts';

const outputSchema = z.object({ artifacts: z.array(z.object({ purl: z.string(), type: z.string() })) });

/** Syft, which lists packages only. */
export async function syft(): Promise<Tool> {
  const program = requirePeer('syft');
  const environment = { SYFT_CHECK_FOR_APP_UPDATE: 'false' };
  const version = await builtVersion(program);
  return {
    name: 'syft',
    version,
    async scan(archive) {
      const text = await run(program, ['scan', '-q', `docker-archive:${archive}`, '-o', 'json'], { environment });
      const { artifacts } = outputSchema.parse(JSON.parse(text));
      return { packages: artifacts.flatMap(({ purl }) => packageOfPurl(purl) ?? []) };
    },
  };
}
