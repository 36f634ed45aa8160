import type { ByteSource } from '../../platform/streams.ts';
import { type AnalysedTarget, analyseImage } from '../../scanner/analyse-image.ts';
import type { FilePart, ImageSource } from '../../scanner/image-source.ts';
import type { Cli } from '../cli.ts';
import { bytes } from '../output.ts';

/** Looks into an image, see `analyseImage`, and shows how far it is when the screen is a terminal. */
export async function analyseWatched({ screen }: Pick<Cli, 'screen'>, source: ImageSource): Promise<AnalysedTarget> {
  if (!screen.isTTY) return analyseImage(source);
  const watched = await watchLayers(source, screen);
  try {
    return await analyseImage(watched.source);
  } finally {
    watched.stop();
  }
}

/** A source whose layers tell how far they were read. */
interface WatchedSource {
  readonly source: ImageSource;
  /** May be called more than once. */
  stop(): void;
}

/** Shows how many layers were read. */
async function watchLayers(source: ImageSource, screen: NodeJS.WriteStream): Promise<WatchedSource> {
  const { SingleBar } = await import('cli-progress');
  const bar = new SingleBar({
    stream: screen,
    format: '{bar} {value} of {total} layers, {read} read',
    hideCursor: true,
    clearOnComplete: true,
  });
  let read = 0;
  const shown = () => ({ read: bytes(read) });
  bar.start(source.layers.length, 0, shown());
  async function* watched(content: ByteSource): ByteSource {
    for await (const chunk of content) {
      read += chunk.byteLength;
      bar.update(shown());
      yield chunk;
    }
    bar.increment(1, shown());
  }
  /** A layer that lies on disk is read elsewhere: it counts when it is begun. */
  function counted(content: ByteSource | FilePart): ByteSource | FilePart {
    if (Symbol.asyncIterator in content) return watched(content);
    bar.increment(1, shown());
    return content;
  }
  return {
    source: {
      ...source,
      close: () => source.close(),
      layers: source.layers.map((layer) => ({ ...layer, open: async () => counted(await layer.open()) })),
    },
    stop: () => bar.stop(),
  };
}
