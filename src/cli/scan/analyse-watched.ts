import { type AnalysedTarget, analyseImage } from '../../scanner/analyse-image.ts';
import type { ImageSource } from '../../scanner/image-source.ts';
import type { Cli } from '../cli.ts';

/** Looks into every layer of a source; on a terminal it is shown how far that is. */
export async function analyseWatched(cli: Cli, source: ImageSource): Promise<AnalysedTarget> {
  if (!cli.screen.isTTY) return analyseImage(source);
  const { watchLayers } = await import('./progress.ts');
  const watched = watchLayers(source, cli.screen);
  try {
    return await analyseImage(watched.source);
  } finally {
    watched.stop();
  }
}
