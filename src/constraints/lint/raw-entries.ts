import { DOCKER_HUB } from '../../oci/reference.ts';
import type { TrustEntry } from '../../trust/match/entry.ts';
import { tryParseEntry } from './spellings.ts';

/** Ends of an entry behind which the name of a repository is over. */
const ENDS = /[:@]$/;

/**
 * The repository that an entry written for raw comparison names: `harbor.example.com/team/app:` is every tag of it. By
 * reference such a text means nothing. Undefined for other entries.
 */
export function rawRepositoryOf(text: string): TrustEntry | undefined {
  if (!ENDS.test(text)) return undefined;
  const entry = tryParseEntry(text.slice(0, -1));
  return entry?.scope === 'tag' || entry?.scope === 'digest' || entry?.scope === 'registry' || text.includes('/:')
    ? undefined
    : entry;
}

/**
 * What to write in the place of an entry where raw text is compared: together it admits nothing that the entry does not
 * mean, in the spellings that can be told from other names. `nginx:` cannot (`nginx:5000/x` is on another registry), so an
 * official image is named whole. Undefined where no entry of the kind can say it.
 */
export function safeEntriesFor(entry: TrustEntry, isRawHere: boolean): string[] | undefined {
  const { scope, path } = entry;
  if (scope === 'tag' || scope === 'digest') return [`${entry.text}@sha256:<digest>`];
  const bases = basesOf(entry);
  if (scope !== 'repository') return bases.map((base) => `${base}/`);
  if (!isRawHere) return undefined;
  const isOfficial = entry.registry === DOCKER_HUB && path?.startsWith('library/');
  const named = isOfficial ? [`${DOCKER_HUB}/${path}`] : bases;
  // Docker Hub has nothing below a repository.
  const ends = entry.registry === DOCKER_HUB ? [':', '@'] : [':', '@', '/'];
  return named.flatMap((base) => ends.map((end) => `${base}${end}`));
}

/** The spellings of the name itself. */
function basesOf({ registry, path, text, onlyBelow }: TrustEntry): string[] {
  const written = onlyBelow || text.endsWith('/') ? text.slice(0, -1) : text;
  const end = path === undefined ? '' : `/${path}`;
  const others =
    registry === DOCKER_HUB
      ? [...(path === undefined ? [] : [path]), `${DOCKER_HUB}${end}`, `index.${DOCKER_HUB}${end}`]
      : [`${registry}${end}`];
  return [...new Set([written, ...others])];
}
