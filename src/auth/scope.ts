import { AuthError } from './errors.ts';

/** One thing a token is asked for, or gives. */
export interface Access {
  /** `repository` or `registry`. */
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

const MOST_SCOPES = 50;
const LONGEST_SCOPE = 1024;

/**
 * Reads the scopes of a token request: repeated parameters and lists separated by spaces, `type[(class)]:name:action[,action]`
 * split on the first and the last colon, because a name may hold a host with a port; the class is not used any more. Asked
 * twice for one thing, the actions add up. Throws `AuthError('scope_invalid')`.
 */
export function parseScopes(texts: readonly string[]): Access[] {
  const scopes = texts.flatMap((text) => text.split(' ')).filter((scope) => scope !== '');
  if (scopes.length > MOST_SCOPES)
    throw new AuthError('scope_invalid', `${scopes.length} scopes in one token; ask for at most ${MOST_SCOPES}`);
  const found = new Map<string, { type: string; name: string; actions: Set<string> }>();
  for (const scope of scopes) {
    const { type, name, actions } = parseScope(scope);
    const key = `${type}:${name}`;
    const known = found.get(key) ?? { type, name, actions: new Set() };
    for (const action of actions) known.actions.add(action);
    found.set(key, known);
  }
  return [...found.values()].map(({ type, name, actions }) => ({ type, name, actions: [...actions] }));
}

/** The scopes as one text, the form of an OAuth 2 reply. */
export function formatScopes(access: readonly Access[]): string {
  return access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ');
}

function parseScope(text: string): Access {
  const first = text.indexOf(':');
  const last = text.lastIndexOf(':');
  if (text.length > LONGEST_SCOPE || first <= 0 || last - first < 2)
    throw new AuthError(
      'scope_invalid',
      `${JSON.stringify(text.slice(0, 140))} is not a scope; write repository:<name>:pull,push`,
    );
  const actions = text
    .slice(last + 1)
    .split(',')
    .filter((action) => action !== '');
  return { type: text.slice(0, first).replace(/\([^)]*\)$/, ''), name: text.slice(first + 1, last), actions };
}
