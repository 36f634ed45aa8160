import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, loadConfig } from '../../src/config.ts';
import type { KubernetesObject } from './helm.ts';

interface Deployment {
  readonly template: {
    readonly spec: {
      readonly containers: readonly {
        readonly env: readonly { readonly name: string; readonly value?: string }[];
      }[];
    };
  };
}

/**
 * Reads what the chart tells the guard with the program's own reader of settings files, which refuses names it does not know, unlike
 * that of the environment. Throws `ConfigError`.
 */
export async function settingsOf(objects: readonly KubernetesObject[], folder: string): Promise<Config> {
  const deployment = objects.find(({ kind }) => kind === 'Deployment')?.['spec'] as Deployment;
  const env = deployment.template.spec.containers.flatMap((container) => container.env);
  // The kubelet fills in the name of the pod.
  const settings = env.map(({ name, value = 'a-pod' }) => [keyOf(name), value]);
  const path = join(folder, 'settings.json');
  await writeFile(path, JSON.stringify(Object.fromEntries(settings)));
  return loadConfig({ BREAKWATER_CONFIG: path });
}

/** `BREAKWATER_GUARD_TLS_SECRET` → `guardTlsSecret`. */
function keyOf(name: string): string {
  return name
    .replace('BREAKWATER_', '')
    .toLowerCase()
    .replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
