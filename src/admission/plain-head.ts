/** The head of a request as an API server sends it, and where in the bytes its body begins. */
export interface PlainHead {
  /** With its query. */
  readonly target: string;
  /** Of the body, at least 1. */
  readonly length: number;
  readonly bodyAt: number;
}

export const JSON_TYPE = 'application/json';
const END = Buffer.from('\r\n\r\n');
/** An API server's has some 250 bytes, with tracing and a token two thousand. */
const LONGEST = 4096;
const REQUEST_LINE = /POST (\/[!-~]*) HTTP\/1\.1\r\n/y;
const HEADER = /([A-Za-z-]+): ([ -~]*)\r\n/y;
const LENGTH = /^[1-9]\d{0,8}$/;
/** What they say changes nothing about how a request is read. */
const HARMLESS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'baggage',
  'traceparent',
  'tracestate',
  'user-agent',
]);

/**
 * Reads a head that stands whole at the beginning of `bytes`: a POST of JSON whose length is said, on a connection that stays,
 * with headers from a short list, those that count once each. Undefined for everything else, wrong or only unusual.
 */
export function readPlainHead(bytes: Buffer): PlainHead | undefined {
  const end = bytes.indexOf(END);
  if (end < 0 || end > LONGEST) return undefined;
  const text = bytes.toString('latin1', 0, end + 2);
  REQUEST_LINE.lastIndex = 0;
  const target = REQUEST_LINE.exec(text)?.[1];
  if (target === undefined) return undefined;
  let hosts = 0;
  let types = 0;
  let length = 0;
  HEADER.lastIndex = REQUEST_LINE.lastIndex;
  while (HEADER.lastIndex < text.length) {
    const [, name = '', value = ''] = HEADER.exec(text) ?? [];
    switch (name.toLowerCase()) {
      case 'host':
        hosts += 1;
        break;
      case 'content-type':
        if (value !== JSON_TYPE) return undefined;
        types += 1;
        break;
      case 'content-length':
        if (length !== 0 || !LENGTH.test(value)) return undefined;
        length = Number(value);
        break;
      case 'connection':
        if (value !== 'keep-alive') return undefined;
        break;
      default:
        if (!HARMLESS.has(name.toLowerCase())) return undefined;
    }
  }
  return hosts === 1 && types === 1 && length > 0 ? { target, length, bodyAt: end + END.length } : undefined;
}
