/** `[epoch:]version[-release]` as rpm and pacman write it. */
export interface Evr {
  /** Decimal digits; `0` when there is none. */
  readonly epoch: string;
  readonly version: string;
  readonly release: string | undefined;
}

const EPOCH = /^\d*(?=:)/;

/** Takes apart as rpm's `rpmverParse` does: digits before a colon are the epoch, the last hyphen begins the release. */
export function parseEvr(text: string): Evr {
  const epoch = EPOCH.exec(text)?.[0];
  const rest = epoch === undefined ? text : text.slice(epoch.length + 1);
  const hyphen = rest.lastIndexOf('-');
  return {
    epoch: epoch || '0',
    version: hyphen < 0 ? rest : rest.slice(0, hyphen),
    release: hyphen < 0 ? undefined : rest.slice(hyphen + 1),
  };
}
