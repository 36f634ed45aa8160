import { DOCKER_HUB } from '../../oci/reference.ts';
import { parseEntry, type TrustEntry, TrustEntryError } from '../../trust/match/entry.ts';

/** An entry of a list of repositories as it is read here; undefined when it names none. */
export function tryParseEntry(text: string): TrustEntry | undefined {
  try {
    return parseEntry(text);
  } catch (error) {
    if (error instanceof TrustEntryError) return undefined;
    throw error;
  }
}

/** Names that begin like `prefix` without being what it means: another host, another account, another repository. */
export function neighboursOf(prefix: string): string[] {
  // A short name with `:` behind it is the host of a registry as well.
  if (prefix.endsWith(':')) return prefix.includes('/') ? [] : [`${prefix}5000/x`];
  const [name, tag] = splitTag(prefix);
  if (tag !== undefined) return [`${prefix}-evil`];
  const hasPath = name.includes('/');
  return [
    ...(hasPath ? [] : [`${name}.evil.example/x`]),
    `${name}-evil/x`,
    `${name}evil/x`,
    `${name}-evil:1`,
    `${name}evil:1`,
    ...(hasPath ? [] : [`${name}:5000/x`]),
  ];
}

/** Other ways to write the images that an entry means. Nodes take all of them for the same. */
export function spellingsOf(entry: TrustEntry): string[] {
  const { registry, path, tag, digest, scope } = entry;
  const end = `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
  const names = path === undefined ? ['app'] : scope === 'project' ? [`${path}/app`] : [path];
  const hub = names.flatMap((name) => [
    ...(registry === DOCKER_HUB && name.includes('/') ? [name] : []),
    ...(name.startsWith('library/') ? [name.slice('library/'.length)] : []),
    `${DOCKER_HUB}/${name}`,
    ...(name.startsWith('library/') ? [`${DOCKER_HUB}/${name.slice('library/'.length)}`] : []),
    `index.${DOCKER_HUB}/${name}`,
  ]);
  const plain = names.map((name) => `${registry}/${name}`);
  return [...(registry === DOCKER_HUB ? hub : plain)].map((name) => `${name}${end}`);
}

/** Host names are the same in upper and lower case: how somebody writes one who wants to slip through. */
export function loudSpellingOf(image: string): string {
  const slash = image.indexOf('/');
  return image.slice(0, slash).toUpperCase() + image.slice(slash);
}

/** `name` and `tag`; a port is no tag. */
function splitTag(text: string): readonly [name: string, tag?: string] {
  const colon = text.indexOf(':', text.lastIndexOf('/') + 1);
  if (colon < 0 || (!text.includes('/') && /^[0-9]{1,5}$/.test(text.slice(colon + 1)))) return [text];
  return [text.slice(0, colon), text.slice(colon + 1)];
}
