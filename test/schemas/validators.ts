import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type Options } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** What is wrong with a document by its schema, one line each; empty when it is valid. */
export type Validator = (document: unknown) => readonly string[];

/** Some patterns of the schemas are none by the stricter grammar. */
const OPTIONS: Options = { strict: false, allErrors: false, unicodeRegExp: false };
/** Formats of JSON Schema 2019-09 that the schemas name and the library leaves out. */
const MORE_FORMATS = { 'iri-reference': /^[^\s<>"{}|\\^`]*$/u, 'idn-email': /^[^\s@]+@[^\s@]+$/u };

/** CycloneDX 1.6, JSON form. */
export function cycloneDxValidator(): Validator {
  const ajv = new Ajv({ ...OPTIONS, formats: MORE_FORMATS });
  addFormats.default(ajv);
  for (const part of ['spdx', 'jsf-0.82'])
    ajv.addSchema(official(`cyclonedx-${part}`), `http://cyclonedx.org/schema/${part}.SNAPSHOT.schema.json`);
  return validator(ajv, official('cyclonedx-1.6'));
}

/** CSAF 2.0: the schema and every mandatory test of section 6.1, by the validator of the standard's own tools. */
export async function csafProblems(document: unknown): Promise<readonly string[]> {
  const csafTests = await import('@secvisogram/csaf-validator-lib/basic.js');
  const { default: validate } = await import('@secvisogram/csaf-validator-lib/validate.js');
  const { tests } = await validate(Object.values(csafTests), document);
  return tests.flatMap(({ name, errors }) =>
    errors.map(({ instancePath, message = '' }) => `${name} ${instancePath} ${message}`),
  );
}

/** SPDX 2.3, JSON form. */
export function spdxValidator(): Validator {
  const ajv = new Ajv(OPTIONS);
  addFormats.default(ajv);
  return validator(ajv, official('spdx-2.3'));
}

/** SARIF 2.1.0. */
export function sarifValidator(): Validator {
  // Its draft 04 differs from later ones in the name of `$id` alone, as far as it is used here.
  const { id: $id, $schema: _draft, ...schema } = official('sarif-2.1.0') as Record<string, unknown>;
  const ajv = new Ajv(OPTIONS);
  addFormats.default(ajv);
  return validator(ajv, { $id, ...schema });
}

/** Any schema of JSON Schema 2020-12. */
export function schemaValidator(schema: object): Validator {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true });
  addFormats.default(ajv);
  return validator(ajv, schema);
}

function validator(ajv: Ajv, schema: object): Validator {
  const check = ajv.compile(schema);
  return (document) => {
    check(document);
    return (check.errors ?? []).map(({ instancePath, message, params }) => {
      return `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`;
    });
  };
}

function official(name: string): object {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'testdata', `${name}.schema.json`), 'utf8')) as object;
}
