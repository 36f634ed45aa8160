import type { Digest } from '../oci/digest.ts';
import { oneLine } from '../platform/one-line.ts';
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
    oneLine(
      `${refused.digest} is neither stored nor served: ${refused.sentence}. Nothing overrides a quarantine; use another version, or ask the administrators, who see it with: breakwater quarantine list`,
    ),
  );
}
