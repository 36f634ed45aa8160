import { describe, expect, it } from 'vitest';
import { PACKAGE_TYPES, SYSTEM_PACKAGE_TYPES } from '../../model/inventory.ts';
import { schemeOfType } from '../versions/of-type.ts';
import { ecosystemOf, schemeOf, systemTypeOf } from './ecosystem.ts';

describe('version schemes of package types', () => {
  it.each(PACKAGE_TYPES.filter((type) => !SYSTEM_PACKAGE_TYPES.has(type)))(
    '%s is ordered as its ecosystem is',
    (type) => {
      const ecosystem = ecosystemOf({ type }, undefined);
      expect(schemeOfType(type)).toBe(ecosystem === undefined ? undefined : schemeOf(ecosystem));
    },
  );

  it.each(['Alpine', 'Debian', 'Red Hat'])('packages of %s are ordered as its advisories are', (ecosystem) => {
    const type = systemTypeOf(ecosystem);
    expect(type && schemeOfType(type)).toBe(schemeOf(ecosystem));
  });
});
