import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Inventory } from '../model/inventory.ts';
import type { Digest } from '../oci/digest.ts';
import type { ByteSource } from '../platform/streams.ts';
import { createWorkerPool, type RunOptions, WorkerError } from '../platform/worker-pool.ts';
import { composeInventory } from './compose.ts';
import { ScanError } from './errors.ts';
import type { StackedLayer } from './layers/tree.ts';
import { type AnalysisLimits, DEFAULT_LIMITS } from './model.ts';
import { type PackedEvidence, packEvidence, unpackWithin } from './packed-evidence.ts';
import { unreadImage, unreadLayer } from './unread-layer.ts';

/** What a worker is told: where a layer is and how far to go, or what to put together. */
export type WorkerTask =
  | { readonly kind: 'analyse'; readonly path: string; readonly digest?: Digest; readonly limits: AnalysisLimits }
  | { readonly kind: 'compose'; readonly layers: readonly { readonly digest: Digest; readonly bytes: Uint8Array }[] };

export type AnalysisInput =
  | { readonly kind: 'file'; readonly path: string; readonly digest?: Digest }
  | { readonly kind: 'stream'; open(): Promise<ByteSource>; readonly digest?: Digest };

export interface LayerAnalyserOptions {
  readonly workers: number;
  readonly limits?: AnalysisLimits;
  readonly timeoutMs?: number;
  readonly memoryMb?: number;
}

export interface AnalyserPool {
  /**
   * The evidence of one layer. A layer that needs too much memory or time gives incomplete evidence that says so; rejects when the bytes could
   * not be had, are more than is ever read (`ScanError`), or when no worker could be had or kept for it (`WorkerError`): another time it may be.
   */
  analyse(input: AnalysisInput): Promise<PackedEvidence>;
  /**
   * What is in these layers, lowest first, put on top of each other. Too much for a worker gives an incomplete inventory that says so;
   * rejects only when no worker can be had or kept.
   */
  compose(layers: readonly EvidenceOfLayer[]): Promise<Inventory>;
  /** Lets what runs end. */
  close(): Promise<void>;
  /** Ends what runs and what waits for a worker; both reject. */
  giveUp(): void;
}

export interface EvidenceOfLayer {
  readonly digest: Digest;
  readonly evidence: PackedEvidence;
}

const TIMEOUT_MS = 10 * 60_000;
const MOST_MEMORY_MB = 1024;
const LEAST_MEMORY_MB = 64;
const YOUNG_MB = 12;
const MB = 1024 * 1024;
/** A worker that died otherwise may have been killed by an operator, or by a system that is short of memory for other reasons. */
const FAULTS_OF_LAYER: ReadonlySet<WorkerError['code']> = new Set(['worker_late', 'worker_memory']);

/** Analyses layers in worker processes. */
export function createLayerAnalyser(options: LayerAnalyserOptions): AnalyserPool {
  const limits = options.limits ?? DEFAULT_LIMITS;
  const pool = createWorkerPool<WorkerTask, PackedEvidence | Inventory>({
    module: new URL('./analyse-worker.ts', import.meta.url),
    size: options.workers,
    memoryMb: options.memoryMb ?? memoryOf(options.workers),
    youngMb: YOUNG_MB,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
  });

  /** Runs a task, and once more when its worker died. */
  async function run(task: WorkerTask, options?: RunOptions): Promise<PackedEvidence | Inventory> {
    try {
      return await pool.run(task, options);
    } catch (error) {
      if (error instanceof WorkerError && error.code === 'worker_died') return pool.run(task, options);
      throw error;
    }
  }

  async function analyseFile(path: string, digest: Digest | undefined): Promise<PackedEvidence> {
    try {
      return (await run({ kind: 'analyse', path, limits, ...(digest ? { digest } : {}) })) as PackedEvidence;
    } catch (error) {
      if (error instanceof WorkerError && FAULTS_OF_LAYER.has(error.code))
        return packEvidence(unreadLayer('limit', `the layer could not be analysed: ${error.message}`, digest));
      throw error;
    }
  }

  return {
    async analyse(input) {
      if (input.kind === 'file') return analyseFile(input.path, input.digest);
      const folder = await mkdtemp(join(tmpdir(), 'breakwater-layer-'));
      try {
        const path = join(folder, 'layer');
        const source = bounded(await input.open(), limits.uncompressedBytes);
        await pipeline(Readable.from(source), createWriteStream(path, { mode: 0o600 }));
        return await analyseFile(path, input.digest);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async compose(layers) {
      const here = await composeHere(layers);
      if (here) return here;
      try {
        const task = layers.map(({ digest, evidence: { bytes } }) => ({ digest, bytes }));
        return (await run({ kind: 'compose', layers: task }, { urgent: true })) as Inventory;
      } catch (error) {
        if (!(error instanceof WorkerError && FAULTS_OF_LAYER.has(error.code))) throw error;
        return unreadImage(`the layers could not be put together: ${error.message}`);
      }
    },
    close: () => pool.close(),
    giveUp: () => pool.giveUp(),
  };
}

/** Evidence that is put together here: bytes packed, and unpacked. More could take more memory than a server is to have. */
const PACKED_HERE = 128 * 1024;
const UNPACKED_HERE = 2 * 1024 * 1024;

/** Most images are put together sooner than another process is asked to; undefined where that is not one of them. */
async function composeHere(layers: readonly EvidenceOfLayer[]): Promise<Inventory | undefined> {
  if (layers.reduce((sum, { evidence }) => sum + evidence.bytes.byteLength, 0) > PACKED_HERE) return undefined;
  const stack: StackedLayer[] = [];
  let room = UNPACKED_HERE;
  try {
    for (const { digest, evidence: packed } of layers) {
      const { evidence, size } = await unpackWithin(packed, room);
      room = Math.max(1, room - size);
      stack.push({ digest, evidence });
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return composeInventory(stack);
}

/** All workers together, each with a heap and as much beside it, get no more than half of the memory there is. */
function memoryOf(workers: number): number {
  const all = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY) / MB;
  return Math.min(MOST_MEMORY_MB, Math.max(LEAST_MEMORY_MB, Math.floor(all / 4 / workers)));
}

/** The disk is not for whoever sends without end. */
async function* bounded(source: ByteSource, limit: number): ByteSource {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > limit) throw new ScanError('limit_exceeded', `the layer is larger than ${limit} bytes`);
    yield chunk;
  }
}
