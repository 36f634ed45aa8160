import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dataPath, hasData } from '../../test/support/data.ts';
import type { TarItem } from '../../test/support/tar.ts';
import type { ByteSource } from '../platform/streams.ts';
import { FlatFileSystem } from './flat-file-system.testing.ts';
import type { FilePart } from './image-source.ts';
import { openLayer } from './layers/open-layer.ts';
import { readTar } from './layers/tar-reader.ts';
import { openLocalTarget } from './sources/open.ts';

async function itemsOf(layer: ByteSource | FilePart): Promise<TarItem[]> {
  const items: TarItem[] = [];
  const { reader, close } = openLayer(layer, 1e9);
  for await (const entry of readTar(reader)) {
    const { name, kind, linkName, size } = entry;
    if (kind === 'directory') items.push({ name: name.replace(/\/$/, ''), type: 'directory' });
    else if (kind === 'symlink') items.push({ name, type: 'symlink', link: linkName });
    else items.push({ name, content: Buffer.from(await entry.read(size)) });
  }
  await close();
  return items;
}

/** The oracle of the law of composing against another tool: what `umoci unpack` made of the same images. */
describe.skipIf(!hasData)('FlatFileSystem', () => {
  it.each(['gcr-overwritten_file', 'gcr-whiteout_dir', 'gcr-whiteout_image'])(
    'unpacks %s as umoci does',
    async (name) => {
      const target = await openLocalTarget(dataPath('images', 'whiteouts', `${name}.tar`));
      if (target?.kind !== 'image') throw new Error('no image');
      const flat = new FlatFileSystem();
      for (const layer of target.source.layers) flat.apply(await itemsOf(await layer.open()));
      await target.source.close();
      const found = flat
        .items()
        .map(({ name: path, type = 'file', content = '', link = '' }) =>
          [
            path,
            type === 'symlink' ? 'l' : type.slice(0, 1),
            type === 'directory' ? '' : String((content || link).length),
            link,
          ].join('\t'),
        );
      const [, ...expected] = readFileSync(dataPath('images', 'expected', 'whiteouts', `${name}.files.tsv`), 'utf8')
        .split('\n')
        .filter(Boolean);
      expect(found.sort()).toEqual(expected.sort());
    },
  );
});
