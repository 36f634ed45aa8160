import { z } from 'zod';
import type { GatekeeperObjects } from '../../preflight/takeover.ts';

const objectSchema = z.looseObject({ apiVersion: z.string(), kind: z.string() });

/** Sorts manifests into what Gatekeeper knows; other objects are left out. */
export function sortObjects(objects: readonly unknown[]): GatekeeperObjects {
  const found = { constraints: [], templates: [], configs: [], expansions: [] } as Record<
    keyof GatekeeperObjects,
    unknown[]
  >;
  for (const object of objects) {
    const { data } = objectSchema.safeParse(object);
    const group = data?.apiVersion.split('/', 1)[0];
    if (group === 'constraints.gatekeeper.sh') found.constraints.push(object);
    if (group === 'templates.gatekeeper.sh' && data?.kind === 'ConstraintTemplate') found.templates.push(object);
    if (group === 'config.gatekeeper.sh' && data?.kind === 'Config') found.configs.push(object);
    if (group === 'expansion.gatekeeper.sh' && data?.kind === 'ExpansionTemplate') found.expansions.push(object);
  }
  return found;
}
