import { DOCKER_HUB } from '../../oci/reference.ts';
import { messageOf } from '../../platform/errors.ts';
import { parseEntry, type TrustEntry, TrustEntryError } from './entry.ts';
import type { MatchingMode } from './matcher.ts';

export interface EntryProblem {
  /**
   * `invalid` trusts nothing · `bypass` lets a foreign name through · `ambiguous` can be read two ways ·
   * `broad` trusts everybody's images · `movable` what it names can change.
   */
  readonly kind: 'invalid' | 'bypass' | 'ambiguous' | 'broad' | 'movable';
  /** One sentence for people. */
  readonly message: string;
  /** An image that the entry lets through although nobody meant it. */
  readonly example?: string;
  /** What to write instead. */
  readonly safer?: string;
}

/** Registries where anybody may have an account. */
const OPEN_REGISTRIES = new Set([DOCKER_HUB, 'quay.io', 'ghcr.io', 'registry.gitlab.com', 'public.ecr.aws']);

/**
 * What is wrong with one trusted entry under a way of matching, and the safer text. In `prefix` mode (Gatekeeper's
 * library) every entry that does not end at a boundary can be bypassed.
 */
export function lintEntry(text: string, mode: MatchingMode = 'reference'): EntryProblem[] {
  let entry: TrustEntry;
  try {
    entry = parseEntry(text);
  } catch (error) {
    if (!(error instanceof TrustEntryError)) throw error;
    return [{ kind: 'invalid', message: messageOf(error) }];
  }
  return [
    ...(mode === 'prefix' ? prefixProblems(entry) : []),
    ...(mode === 'reference' ? readingProblems(entry) : []),
    ...broadProblems(entry),
    ...movableProblems(entry),
  ];
}

function prefixProblems(entry: TrustEntry): EntryProblem[] {
  const { text } = entry;
  if (text.endsWith('/') || entry.scope === 'digest') return [];
  const example = entry.scope === 'tag' ? `${text}-evil` : prefixExample(entry);
  const safer = entry.scope === 'tag' ? `${text}@sha256:<digest>` : saferPrefix(entry);
  return [
    {
      kind: 'bypass',
      message: `"${text}" is compared as raw text and lets "${example}" through; write "${safer}" or match by reference`,
      example,
      safer,
    },
  ];
}

function prefixExample(entry: TrustEntry): string {
  return entry.scope === 'registry' ? `${entry.text}.evil.example/x` : `${entry.text}-evil/x`;
}

/** An official image is named whole: `nginx:` is the beginning of `nginx:5000/x` too, and `/` behind its folder means all of them. */
function saferPrefix({ text, registry, path }: TrustEntry): string {
  return path?.startsWith('library/') && !text.includes('/') ? `${registry}/${path}:` : `${text}/`;
}

function readingProblems(entry: TrustEntry): EntryProblem[] {
  const { text, path } = entry;
  if (entry.scope === 'tag' && !text.includes('/') && /^[^:]+:[0-9]{2,5}$/.test(text)) {
    return [
      {
        kind: 'ambiguous',
        message: `"${text}" is read as an image with a tag; for a registry with a port write "${text}/"`,
        safer: `${text}/`,
      },
    ];
  }
  if (entry.scope !== 'project' || entry.registry !== DOCKER_HUB || entry.onlyBelow || path === undefined) return [];
  if (path.includes('/')) return [];
  return [
    {
      kind: 'ambiguous',
      message:
        `"${text}" covers the Docker Hub account "${path}" and the official image of that name; ` +
        `write "${text}/" for the account or "${DOCKER_HUB}/library/${path}" for the image`,
      safer: `${text}/`,
    },
  ];
}

function broadProblems(entry: TrustEntry): EntryProblem[] {
  if (entry.scope !== 'registry' || !OPEN_REGISTRIES.has(entry.registry)) return [];
  return [
    {
      kind: 'broad',
      message: `anybody can publish on ${entry.registry}; trust an account or an image there, or mirror what you need`,
      safer: `${entry.registry}/<account>/`,
    },
  ];
}

function movableProblems(entry: TrustEntry): EntryProblem[] {
  if (entry.scope !== 'tag') return [];
  const safer = `${entry.registry}/${entry.path ?? ''}@sha256:<digest>`;
  return [
    {
      kind: 'movable',
      message:
        `the tag of "${entry.text}" can be moved to another image, and a reference that adds a digest chooses any image of ` +
        `that repository; trust the digest to name one image`,
      safer,
    },
  ];
}
