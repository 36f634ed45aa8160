import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenge } from './challenge.ts';

describe('parseChallenge', () => {
  it.each([
    [
      'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
      'bearer',
      { realm: 'https://auth.example/token', service: 'registry.example', scope: 'repository:a/b:pull,push' },
    ],
    ['Basic realm="Registry Realm"', 'basic', { realm: 'Registry Realm' }],
    ['basic', 'basic', {}],
    ['Bearer realm=unquoted , service="a \\"b\\""', 'bearer', { realm: 'unquoted', service: 'a "b"' }],
    ['Bearer realm="first",realm="second"', 'bearer', { realm: 'first' }],
  ])('reads %s', (header, scheme, parameters) => {
    const challenge = parseChallenge(header);
    expect(challenge?.scheme).toBe(scheme);
    expect({ ...challenge?.parameters }).toEqual(parameters);
  });

  it.each([undefined, '', '   ', '"Bearer"', `Bearer ${'a="b",'.repeat(5000)}`])('is none: %j', (header) => {
    expect(parseChallenge(header)).toBeUndefined();
  });

  it('survives anything a server may send', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        parseChallenge(text);
        parseChallenge(`Bearer ${text}`);
      }),
    );
  });

  it('never reaches a prototype', () => {
    expect(parseChallenge('Bearer __proto__="x",realm="y"')?.parameters['realm']).toBe('y');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});
