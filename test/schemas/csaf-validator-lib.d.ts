/** As far as it is used here; the package has its types in comments. */
declare module '@secvisogram/csaf-validator-lib/basic.js' {
  export const csaf_2_0_strict: (document: unknown) => unknown;
}

declare module '@secvisogram/csaf-validator-lib/validate.js' {
  export default function validate(
    tests: readonly unknown[],
    document: unknown,
  ): Promise<{
    readonly tests: readonly {
      readonly name: string;
      readonly errors: readonly { readonly instancePath: string; readonly message?: string }[];
    }[];
  }>;
}
