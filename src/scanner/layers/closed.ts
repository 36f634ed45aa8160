import { isForeignLayer } from '../../oci/media-types.ts';

/** Why a layer cannot be looked into whatever its bytes, by its media type; undefined when it can. */
export function closedLayer(mediaType: string): string | undefined {
  if (isForeignLayer(mediaType)) return 'it is a foreign layer whose content is fetched from elsewhere';
  if (mediaType.endsWith('+encrypted')) return 'it is encrypted';
  return undefined;
}
