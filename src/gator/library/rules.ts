import { fieldAt, isRecord } from '../../platform/json-object.ts';
import type { ContainerList, ProgramMeaning } from './programs.ts';
import { anyMatch, isPrefix, isSuffix, members, shown } from './rego-values.ts';

/** One container with what a message needs of it; one that lacks its name or image violates nothing. */
interface Container {
  readonly word: ContainerList['word'];
  readonly name: unknown;
  readonly image: unknown;
}

/**
 * The messages a Rego program of the library has about an object, each once and in no order: word for word, and with
 * Rego's own ideas about values of the wrong type. `parameters` are the constraint's, `{}` when it has none.
 */
export function violationsOf(meaning: ProgramMeaning, object: unknown, parameters: unknown): readonly string[] {
  const found = new Set<string>();
  for (const list of meaning.lists) {
    for (const item of members(fieldAt(object, 'spec', list.field))) {
      if (!isRecord(item)) continue;
      const container = { word: list.word, name: item['name'], image: item['image'] };
      if (container.name === undefined || container.image === undefined) continue;
      for (const message of judge(meaning, container, parameters)) found.add(message);
    }
  }
  return [...found];
}

function judge(meaning: ProgramMeaning, container: Container, parameters: unknown): readonly string[] {
  switch (meaning.kind) {
    case 'K8sAllowedRepos': {
      const repos = fieldAt(parameters, 'repos');
      if (repos === undefined || trustsPrefix(meaning.any, container.image, repos)) return [];
      return [`${about(container, 'has an invalid image repo')}, allowed repos are ${shown(repos)}`];
    }
    case 'K8sAllowedReposv2': {
      const images = fieldAt(parameters, 'allowedImages');
      if (images === undefined || listed(container.image, images)) return [];
      return [`${about(container, 'has an invalid image')}, allowed images are ${shown(images)}`];
    }
    case 'K8sDisallowedRepos': {
      const repos = fieldAt(parameters, 'repos');
      if (!members(repos).some((repo) => starts(container.image, repo))) return [];
      return [`${about(container, 'has an invalid image repo')}, disallowed repos are ${shown(repos)}`];
    }
    case 'K8sDisallowedTags':
      return meaning.exempts && exempt(container, parameters) ? [] : judgeTag(meaning, container, parameters);
    case 'K8sImageDigests':
      if (meaning.exempts && exempt(container, parameters)) return [];
      return lacksDigest(meaning.digest, container.image) ? [about(container, 'uses an image without a digest')] : [];
  }
}

function about({ word, name, image }: Container, what: string): string {
  return `${word} <${shown(name)}> ${what} <${shown(image)}>`;
}

function trustsPrefix(any: 'startswith' | 'prefix-match', image: unknown, repos: unknown): boolean {
  if (any === 'prefix-match') return anyMatch(image, repos, isPrefix) ?? false;
  return members(repos).some((repo) => starts(image, repo));
}

function starts(image: unknown, prefix: unknown): boolean {
  return typeof image === 'string' && typeof prefix === 'string' && image.startsWith(prefix);
}

/** A whole image, or the beginning of one when the entry ends in `*`. */
function listed(image: unknown, entries: unknown): boolean {
  return members(entries).some((entry) =>
    typeof entry === 'string' && entry.endsWith('*') ? starts(image, entry.slice(0, -1)) : entry === image,
  );
}

function exempt({ image }: Container, parameters: unknown): boolean {
  return listed(image, fieldAt(parameters, 'exemptImages'));
}

type TagMeaning = ProgramMeaning & { kind: 'K8sDisallowedTags' };

function judgeTag(meaning: TagMeaning, container: Container, parameters: unknown): readonly string[] {
  const tags = fieldAt(parameters, 'tags');
  const endings = members(tags).flatMap((tag) => (typeof tag === 'string' ? [`:${tag}`] : []));
  const uses =
    meaning.disallowed === 'suffix-match'
      ? (anyMatch(container.image, endings, isSuffix) ?? false)
      : typeof container.image === 'string' && endings.some((ending) => isSuffix(String(container.image), ending));
  return [
    ...(uses ? [`${about(container, 'uses a disallowed tag')}; disallowed tags are ${shown(tags)}`] : []),
    ...(lacksTag(meaning.untagged, container.image) ? [about(container, "didn't specify an image tag")] : []),
  ];
}

function lacksTag(untagged: TagMeaning['untagged'], image: unknown): boolean {
  // `not contains(…)` holds for what is no text at all; the other two have no answer for it.
  if (typeof image !== 'string') return untagged === 'contains';
  const part = untagged === 'last-segment' ? image.slice(image.lastIndexOf('/') + 1) : image;
  return !part.includes(':');
}

const DIGEST = /@[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+/;

function lacksDigest(digest: 'all' | 'match', image: unknown): boolean {
  return typeof image === 'string' ? !DIGEST.test(image) : digest === 'match';
}
