import { describe, expect, it } from 'vitest';
import { readPlainHead } from './plain-head.ts';

const HEADERS = ['Host: guard:8443', 'User-Agent: kube-apiserver-admission', 'Content-Length: 4'];
const TYPE = 'Content-Type: application/json';

function headOf(lines: readonly string[], first = 'POST /v1/admit?timeout=3s HTTP/1.1'): Buffer {
  return Buffer.from(`${[first, ...lines].join('\r\n')}\r\n\r\nbody`, 'latin1');
}

describe('a plain head', () => {
  it('is read as an API server writes it', () => {
    const bytes = headOf([...HEADERS, 'Accept: application/json, */*', TYPE, 'Accept-Encoding: gzip']);
    const head = readPlainHead(bytes);
    expect(head).toMatchObject({ target: '/v1/admit?timeout=3s', length: 4 });
    expect(bytes.subarray(head?.bodyAt).toString()).toBe('body');
    expect(readPlainHead(headOf(['host: x', 'content-length: 1', 'content-type: application/json']))).toBeDefined();
    expect(readPlainHead(headOf([...HEADERS, TYPE, 'Connection: keep-alive']))).toBeDefined();
  });

  it.each([
    ['another method', headOf([...HEADERS, TYPE], 'PUT /v1/admit HTTP/1.1')],
    ['another version', headOf([...HEADERS, TYPE], 'POST /v1/admit HTTP/1.0')],
    ['a whole address', headOf([...HEADERS, TYPE], 'POST https://guard/v1/admit HTTP/1.1')],
    ['a space in the target', headOf([...HEADERS, TYPE], 'POST /v1/admit /x HTTP/1.1')],
    ['a line that ends early', headOf([...HEADERS, TYPE], 'POST /v1/admit HTTP/1.1\nX: y')],
    ['another type', headOf([...HEADERS, 'Content-Type: application/json; charset=utf-8'])],
    ['no type', headOf(HEADERS)],
    ['two types', headOf([...HEADERS, TYPE, TYPE])],
    ['no host', headOf([...HEADERS.slice(1), TYPE])],
    ['two hosts', headOf([...HEADERS, 'Host: other', TYPE])],
    ['no length', headOf([...HEADERS.slice(0, 2), TYPE])],
    ['two lengths', headOf([...HEADERS, 'Content-Length: 4', TYPE])],
    ['no body', headOf(['Host: x', 'Content-Length: 0', TYPE])],
    ['a signed length', headOf(['Host: x', 'Content-Length: +4', TYPE])],
    ['a list of lengths', headOf(['Host: x', 'Content-Length: 4, 4', TYPE])],
    ['chunks', headOf([...HEADERS, 'Transfer-Encoding: chunked', TYPE])],
    ['an expectation', headOf([...HEADERS, 'Expect: 100-continue', TYPE])],
    ['another protocol', headOf([...HEADERS, 'Connection: upgrade', 'Upgrade: h2c', TYPE])],
    ['its end', headOf([...HEADERS, 'Connection: close', TYPE])],
    ['a header nobody knows', headOf([...HEADERS, 'X-Odd: 1', TYPE])],
    ['a folded header', headOf([...HEADERS, TYPE, ' more'])],
    ['a space before the colon', headOf([...HEADERS.slice(0, 2), 'Content-Length : 4', TYPE])],
    ['no colon', headOf([...HEADERS, 'Host', TYPE])],
    ['a bare line feed', headOf([...HEADERS, `Accept: x\n${TYPE}`])],
    ['a bare carriage return', headOf([...HEADERS, 'Accept: x\ry', TYPE])],
    ['a zero byte', headOf([...HEADERS, 'Accept: \0', TYPE])],
    ['letters beyond ASCII', headOf([...HEADERS, 'User-Agent: \xfc', TYPE])],
    ['too many bytes', headOf([...HEADERS, `Authorization: ${'x'.repeat(5000)}`, TYPE])],
    ['only its beginning', headOf([...HEADERS, TYPE]).subarray(0, 60)],
    ['nothing', Buffer.alloc(0)],
  ])('is none with %s', (_what, bytes) => {
    expect(readPlainHead(bytes)).toBeUndefined();
  });
});
