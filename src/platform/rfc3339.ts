const FORM =
  /^(\d{4})-(\d{2})-(\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Epoch ms of a moment as RFC 3339 writes it, with its zone; undefined for everything else, days that no calendar has among it. */
export function parseRfc3339(text: string): number | undefined {
  const [, year, month, day] = FORM.exec(text) ?? [];
  if (year === undefined) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  // A day that does not exist is moved into the next month.
  if (date.getUTCMonth() + 1 !== Number(month) || date.getUTCDate() !== Number(day)) return undefined;
  return Date.parse(text.toUpperCase());
}
