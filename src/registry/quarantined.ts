import type { Digest } from '../oci/digest.ts';
import { clean } from '../policy/explanation.ts';
import { RegistryError } from './errors.ts';
import type { ContentDeps } from './repositories.ts';

/** Throws `quarantined` when any of these contents is under quarantine: it is neither stored nor served, whoever asks. */
export async function refuseQuarantined(
  { quarantine }: Pick<ContentDeps, 'quarantine'>,
  contents: readonly Digest[],
): Promise<void> {
  const refused = await quarantine?.refusalOf(contents);
  if (!refused) return;
  throw new RegistryError(
    'quarantined',
    clean(
      `${refused.digest} is neither stored nor served: ${refused.sentence}. Nothing overrides a quarantine; use another version, or ask the administrators, who see it with: breakwater quarantine list`,
    ),
  );
}
