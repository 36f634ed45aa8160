import { isRecord } from '../platform/json-object.ts';
/** What the configuration of an image (image-spec, config.md) says that a scan needs. */
export interface ImageConfig {
  /** `os/architecture[/variant]`. */
  readonly platform: string;
  /** Digests of the layers without compression, lowest first. */
  readonly diffIds: readonly string[];
  /** `created_by` of the steps that made a layer, lowest first; absent where a step does not say. */
  readonly steps: readonly (string | undefined)[];
}

const MOST_STEPS = 10_000;
const LONGEST_STEP = 4096;

/** Reads a parsed configuration. Undefined for what is none; members of other types than the specification's count as absent. */
export function readImageConfig(value: unknown): ImageConfig | undefined {
  if (!isRecord(value)) return undefined;
  const { os, architecture, variant, rootfs, history } = value;
  const diffIds = isRecord(rootfs) ? rootfs['diff_ids'] : undefined;
  return {
    platform: [textOr(os, 'linux'), textOr(architecture, 'unknown'), textOr(variant, '')].filter(Boolean).join('/'),
    diffIds: listOf(diffIds).map((id) => textOr(id, '')),
    steps: listOf(history).slice(0, MOST_STEPS).filter(madeLayer).map(stepOf),
  };
}

/** Reads the bytes of a configuration; undefined when there are none, or they are none. */
export function parseImageConfig(bytes: Uint8Array | undefined): ImageConfig | undefined {
  if (!bytes) return undefined;
  try {
    return readImageConfig(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return undefined;
  }
}

/** The step that made each of `count` layers, from the bytes of a configuration; none when there are none or they are no configuration. */
export function stepsOfConfig(bytes: Uint8Array | undefined, count: number): readonly (string | undefined)[] {
  const config = parseImageConfig(bytes);
  return config ? stepsOfLayers(config, count) : [];
}

/** The step that made each of `count` layers. None are known unless there are as many: which is whose would be guessed. */
export function stepsOfLayers({ steps }: Pick<ImageConfig, 'steps'>, count: number): readonly (string | undefined)[] {
  return steps.length === count ? steps : [];
}

function madeLayer(step: unknown): boolean {
  return isRecord(step) && step['empty_layer'] !== true;
}

function stepOf(step: unknown): string | undefined {
  const text = isRecord(step) ? step['created_by'] : undefined;
  return typeof text === 'string' && text !== '' ? text.slice(0, LONGEST_STEP).toWellFormed() : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}
