import { describe, expect, it } from 'vitest';
import { KubernetesError } from './errors.ts';
import { ProtobufList } from './protobuf-list.ts';

const OBJECTS = ['a', 'b'.repeat(200), '', 'c'.repeat(20_000), 'd'];

/** One field as protobuf writes it: a text or message with its length, or a number. */
function field(number: number, value: string | Buffer | number): Buffer {
  if (typeof value === 'number') return Buffer.from([...varint(number * 8), ...varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

function listOf(objects: readonly string[]): Buffer {
  const metadata = Buffer.concat([field(1, ''), field(2, '42'), field(3, 'token'), field(4, 7000)]);
  return Buffer.concat([field(1, metadata), ...objects.map((one) => field(2, one))]);
}

/** `runtime.Unknown`: type, object, two texts about its encoding. */
function reply(list: Buffer): Buffer {
  const type = field(1, Buffer.concat([field(1, 'v1'), field(2, 'PodList')]));
  return Buffer.concat([Buffer.from('k8s\0'), type, field(2, list), field(3, ''), field(4, '')]);
}

function read(bytes: Buffer, pieceOf: number): string[] {
  const found: string[] = [];
  const list = new ProtobufList({
    head: ({ resourceVersion, next }) => void found.push(`${resourceVersion} ${next}`),
    object: (object) => void found.push(object.toString()),
  });
  for (let at = 0; at < bytes.length; at += pieceOf) list.take(bytes.subarray(at, at + pieceOf));
  list.end();
  return found;
}

describe('a list in protobuf', () => {
  it.each([1, 2, 3, 7, 64, 199, 4096, 19_999, 1_000_000])('is the same in pieces of %d bytes', (pieceOf) => {
    expect(read(reply(listOf(OBJECTS)), pieceOf)).toEqual(['42 token', ...OBJECTS]);
    expect(read(reply(listOf([])), pieceOf)).toEqual(['42 token']);
  });

  it('is refused wherever it is cut off', () => {
    const bytes = reply(listOf(['one', 'two']));
    const types = field(3, '').length * 2;
    for (let end = 0; end < bytes.length - types; end += 1)
      expect(() => read(bytes.subarray(0, end), 5), `cut off after ${end} bytes`).toThrow(KubernetesError);
  });

  it.each<[string, Buffer]>([
    ['is JSON', Buffer.from('{"kind":"PodList"}')],
    ['has an object before it says where it stands', reply(field(2, 'x'))],
    ['is empty', reply(Buffer.alloc(0))],
    ['ends inside an object', reply(Buffer.concat([listOf([]), field(2, 'abc').subarray(0, 3)]))],
    ['has an object of 8 MB', reply(listOf(['x'.repeat(8 * 1024 * 1024)]))],
    ['has a number that does not end', Buffer.concat([Buffer.from('k8s\0'), Buffer.alloc(11, 0xff)])],
    ['has a kind of field that there is not', Buffer.concat([Buffer.from('k8s\0'), Buffer.from([0x0f])])],
  ])('is refused when it %s', (_what, bytes) => {
    expect(() => read(bytes, 1000)).toThrow(KubernetesError);
  });
});
