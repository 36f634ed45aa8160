/** One scope of the Docker token flow, `repository:front/alpine:pull,push`. */
export interface Scope {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

const LONGEST = 1024;
const MOST = 100;

/**
 * Parses scopes, several in one text separated by blanks. A name may hold a colon (host and port), so the first and the
 * last colon separate; `repository(plugin)` is an old spelling of `repository`. What cannot be read is left out: rights
 * that are not understood are not given.
 */
export function parseScopes(texts: readonly string[]): Scope[] {
  return texts
    .flatMap((text) => text.split(' '))
    .filter((text) => text !== '' && text.length <= LONGEST)
    .slice(0, MOST)
    .flatMap((text) => {
      const first = text.indexOf(':');
      const last = text.lastIndexOf(':');
      if (first <= 0 || last === first || last === text.length - 1) return [];
      const type = text.slice(0, first).replace(/\([^)]*\)$/, '');
      return [
        {
          type,
          name: text.slice(first + 1, last),
          actions: text
            .slice(last + 1)
            .split(',')
            .filter(Boolean),
        },
      ];
    });
}

export function formatScopes(scopes: readonly Scope[]): string {
  return scopes.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ');
}
