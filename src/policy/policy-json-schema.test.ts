import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { schemaValidator } from '../../test/schemas/validators.ts';
import { policies } from './judging.testing.ts';
import { defaultPolicy } from './policy.ts';
import { documentOf, FIELD_PATHS, fieldsOf } from './policy-fields.ts';
import { policyJsonSchema } from './policy-json-schema.ts';
import { layerDocument, looserThanLocked, readLayer, resolvePolicy, storedLayer } from './policy-layer.ts';
import { FIELD_ORDERS } from './policy-order.ts';

const PAGE = join(import.meta.dirname, '../../docs/schemas/policy.schema.json');

describe('the schema of policy documents', () => {
  it('is published as the code has it', () => {
    expect(JSON.parse(readFileSync(PAGE, 'utf8'))).toEqual(policyJsonSchema());
  });

  it('takes what the code takes, any of the fields', () => {
    const problemsOf = schemaValidator(policyJsonSchema());
    fc.assert(
      fc.property(policies, fc.subarray([...FIELD_PATHS]), (policy, paths) => {
        const document = documentOf([...fieldsOf(policy)].filter(([path]) => paths.includes(path)));
        expect(problemsOf(document)).toEqual([]);
        const read = readLayer(document);
        expect('layer' in read && layerDocument(read.layer)).toEqual(document);
      }),
    );
    expect(problemsOf({ blok: {} })).not.toEqual([]);
  });
});

describe('fields of policies', () => {
  it('have an order each, and no other has one', () => {
    expect([...fieldsOf(defaultPolicy).keys()]).toEqual(FIELD_PATHS);
    expect(documentOf(fieldsOf(defaultPolicy))).toEqual(defaultPolicy);
  });

  it('are ordered as orders are, and the strictest is as strict as both where they can be compared', () => {
    fc.assert(
      fc.property(policies, policies, policies, (a, b, c) => {
        for (const [path, order] of Object.entries(FIELD_ORDERS)) {
          const [x, y, z] = [a, b, c].map((policy) => fieldsOf(policy).get(path));
          expect(order.atLeast(x, x)).toBe(true);
          if (order.atLeast(x, y) && order.atLeast(y, z)) expect(order.atLeast(x, z), path).toBe(true);
          const both = order.strictest(x, y);
          expect(order.atLeast(both, x), path).toBe(true);
          if (order.atLeast(x, y) || order.atLeast(y, x)) expect(order.atLeast(both, y), path).toBe(true);
        }
      }),
    );
  });

  it('that are locked are never looser than the installation has them', () => {
    fc.assert(
      fc.property(policies, policies, fc.subarray([...FIELD_PATHS]), (above, own, locked) => {
        const installation = storedLayer({ ...above, locked });
        const project = storedLayer(own);
        const fields = fieldsOf(resolvePolicy(installation, project).policy);
        for (const path of locked)
          expect(FIELD_ORDERS[path]?.atLeast(fields.get(path), fieldsOf(above).get(path)), path).toBe(true);
        // What is taken over as it is was not looser, and the other way round.
        for (const path of FIELD_PATHS.filter((one) => !locked.includes(one)))
          expect(fields.get(path)).toEqual(fieldsOf(own).get(path));
        const isLooser = looserThanLocked(installation, project).length > 0;
        const changed = locked.some(
          (path) => !FIELD_ORDERS[path]?.atLeast(fieldsOf(own).get(path), fieldsOf(above).get(path)),
        );
        expect(isLooser).toBe(changed);
      }),
    );
  });
});
