const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;
const FORM = /^(\d{1,16}(?:\.\d{1,6})?) ?([kMGTP]?)(i?)B?$/i;

/** `12.3 MB`, in powers of 1000. */
export function formatBytes(count: number): string {
  const power = count < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3));
  const unit = UNITS[power] ?? 'B';
  return power === 0 ? `${count} ${unit}` : `${(count / 1000 ** power).toFixed(1)} ${unit}`;
}

/** Reads `50GB`, `1.5 TB`, `512MiB` or plain bytes; undefined for anything else, and for what no file system holds. */
export function parseBytes(text: string): number | undefined {
  const [, digits, letter = '', binary = ''] = FORM.exec(text.trim()) ?? [];
  if (digits === undefined || (letter === '' && binary !== '')) return undefined;
  const power = ['', 'k', 'm', 'g', 't', 'p'].indexOf(letter.toLowerCase());
  const count = Math.round(Number(digits) * (binary === '' ? 1000 : 1024) ** power);
  return Number.isSafeInteger(count) ? count : undefined;
}
