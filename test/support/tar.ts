const BLOCK = 512;

/** One entry to write. Names longer than 100 bytes go into a pax header. */
export interface TarItem {
  readonly name: string;
  readonly type?: 'file' | 'directory' | 'symlink' | 'hardlink';
  readonly content?: Uint8Array | string;
  readonly link?: string;
}

/** A tar archive (ustar with pax names) of these entries, for tests. */
export function makeTar(items: readonly TarItem[]): Buffer {
  const parts: Buffer[] = [];
  for (const item of items) {
    const content = Buffer.from(item.content ?? '');
    const long = [
      ...(Buffer.byteLength(item.name) > 100 ? [paxRecord('path', item.name)] : []),
      ...(Buffer.byteLength(item.link ?? '') > 100 ? [paxRecord('linkpath', item.link ?? '')] : []),
    ].join('');
    if (long !== '')
      parts.push(tarHeader({ name: 'pax', flag: 'x', size: Buffer.byteLength(long) }), padded(Buffer.from(long)));
    const flag = { file: '0', hardlink: '1', symlink: '2', directory: '5' }[item.type ?? 'file'];
    parts.push(tarHeader({ name: item.name, flag, size: content.length, link: item.link ?? '' }), padded(content));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

/** One header block with a right checksum. */
export function tarHeader(header: {
  readonly name: string;
  readonly flag: string;
  readonly size: number;
  readonly link?: string;
}): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(header.name, 0, 100, 'utf8');
  block.write('0000644\0', 100);
  block.write(`${header.size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write('        ', 148);
  block.write(header.flag, 156);
  block.write(header.link ?? '', 157, 100, 'utf8');
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc(-content.length & (BLOCK - 1))]);
}

function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length > length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}
