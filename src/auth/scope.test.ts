import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthError } from './errors.ts';
import { formatScopes, parseScopes } from './scope.ts';

const repository = (name: string, ...actions: string[]) => ({ type: 'repository', name, actions });

describe('token scopes', () => {
  it.each([
    ['one', ['repository:front/app:pull,push'], [repository('front/app', 'pull', 'push')]],
    [
      'a list separated by spaces',
      ['repository:a/b:pull  repository:c/d:push'],
      [repository('a/b', 'pull'), repository('c/d', 'push')],
    ],
    [
      'repeated parameters',
      ['repository:a/b:pull', 'repository:c/d:push'],
      [repository('a/b', 'pull'), repository('c/d', 'push')],
    ],
    ['a name with a host and a port', ['repository:h.example:5000/a:pull'], [repository('h.example:5000/a', 'pull')]],
    ['an old class', ['repository(plugin):a/b:pull'], [repository('a/b', 'pull')]],
    ['the same thing twice', ['repository:a/b:pull', 'repository:a/b:push,pull'], [repository('a/b', 'pull', 'push')]],
    ['the catalogue', ['registry:catalog:*'], [{ type: 'registry', name: 'catalog', actions: ['*'] }]],
    ['no actions', ['repository:a/b:'], [repository('a/b')]],
    ['nothing', [''], []],
  ])('reads %s', (_name, texts, expected) => expect(parseScopes(texts)).toEqual(expected));

  it.each(['repository', 'repository:a', ':a:pull', 'repository::pull', `repository:${'a'.repeat(2000)}:pull`])(
    'refuses %s',
    (text) => expect(() => parseScopes([text])).toThrow(AuthError),
  );

  it('bounds their number', () => {
    const many = Array.from({ length: 51 }, (_, index) => `repository:a/${index}:pull`);
    expect(() => parseScopes([many.join(' ')])).toThrow('51 scopes');
    expect(parseScopes(many.slice(1))).toHaveLength(50);
  });

  it('reads what it writes, and never fails in another way', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 30 }), { maxLength: 5 }), (texts) => {
        try {
          const scopes = parseScopes(texts);
          expect(parseScopes([formatScopes(scopes)])).toEqual(scopes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'scope_invalid' });
        }
      }),
    );
  });
});
