import { minute } from './moments.ts';

/** A secret that was just made, as it is printed. */
export function secretText({ secret }: { readonly secret: string }): string {
  return `Secret: ${secret}\nIt is shown this once.`;
}

/** Lines about the secrets that count, for `facts`. */
export function secretFacts(
  secrets: readonly { readonly createdAt: string; readonly endsAt?: string | undefined }[],
): (readonly [string, string])[] {
  return secrets.map(({ createdAt, endsAt }) => [
    'secret',
    `of ${minute(createdAt)}${endsAt === undefined ? '' : `, ends ${minute(endsAt)}`}`,
  ]);
}
