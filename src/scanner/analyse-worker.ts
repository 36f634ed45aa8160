import type { Inventory } from '../model/inventory.ts';
import { answerTasks } from '../platform/answer-tasks.ts';
import { analyseLayer } from './analyse-layer.ts';
import type { WorkerTask } from './analyser.ts';
import { composeInventory } from './compose.ts';
import { type PackedEvidence, packEvidence, unpackEvidence } from './packed-evidence.ts';
import { unreadLayer } from './unread-layer.ts';

/** Bytes of packed evidence that are kept of one layer. Those of a layer with a million files are a fraction. */
const MOST_PACKED = 16 * 1024 * 1024;

// A worker process: reads one layer from a file and gives its evidence, or puts layers together.
answerTasks((task: WorkerTask): Promise<PackedEvidence | Inventory> => {
  return task.kind === 'analyse' ? analyse(task) : compose(task);
});

async function analyse({ path, digest, limits }: Extract<WorkerTask, { kind: 'analyse' }>): Promise<PackedEvidence> {
  const packed = await packEvidence(await analyseLayer({ path }, { limits, ...(digest ? { digest } : {}) }));
  if (packed.bytes.byteLength <= MOST_PACKED) return packed;
  const why = `the names in the layer are too many: packed they have ${packed.bytes.byteLength} bytes, more than ${MOST_PACKED}`;
  return packEvidence(unreadLayer('limit', why, digest));
}

async function compose({ layers }: Extract<WorkerTask, { kind: 'compose' }>): Promise<Inventory> {
  const stack = [];
  for (const { digest, bytes } of layers) stack.push({ digest, evidence: await unpackEvidence({ bytes }) });
  return composeInventory(stack);
}
