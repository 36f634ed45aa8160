import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dataPath, hasData } from '../../../test/support/data.ts';
import { analyseLocalTarget } from '../analyse-image.ts';
import { openLocalTarget } from './open.ts';

const [header = '', ...lines] = hasData
  ? readFileSync(dataPath('images', 'expected', 'images.tsv'), 'utf8')
      .split('\n')
      .filter(Boolean)
  : [];
const columns = header.split('\t');
const images = lines.map((line) => {
  const cells = line.split('\t');
  return Object.fromEntries(columns.map((column, at) => [column, cells[at] ?? '']));
});
const fileOf = (image: Record<string, string>) => image['file'] ?? '';

/** Skopeo shows a Helm chart as an image without layers. */
const isImage = (image: Record<string, string>) => image['layers'] !== '0';

describe.skipIf(!hasData)('images as skopeo reads them', () => {
  it.each(images.filter((image) => image['readable_by_skopeo']?.startsWith('yes') && isImage(image)))(
    'opens $file',
    async (image) => {
      const target = await openLocalTarget(dataPath('images', fileOf(image)));
      if (target?.kind !== 'image') throw new Error('no image');
      try {
        expect(target.source.layers).toHaveLength(Number(image['layers']));
        if (image['format'] === 'docker-archive')
          expect(target.source.layers.map(({ digest }) => digest).join(' ')).toBe(
            image['diff_ids']?.split(/[ ,]/).join(' '),
          );
      } finally {
        await target.source.close();
      }
      const analysed = await analyseLocalTarget(dataPath('images', fileOf(image)));
      expect(analysed?.inventory.complete).toBe(true);
    },
  );

  it.each(images.filter((image) => image['readable_by_skopeo'] === 'no' || !isImage(image)))(
    'says what is wrong with $file',
    async (image) => {
      const several = /more than one|got 2/.test(image['message'] ?? '');
      // An escaping archive is no image for skopeo, but a root file system.
      if (fileOf(image).includes('escape')) return;
      await expect(openLocalTarget(dataPath('images', fileOf(image)))).rejects.toMatchObject({
        code: several ? 'image_ambiguous' : 'source_invalid',
      });
    },
  );
});
