import { parseArgs } from 'node:util';

export interface AuditOptions {
  readonly pods: number;
  readonly namespaces: number;
  readonly rounds: number;
  /** Fill a cluster, say where it is, and keep it until interrupted. */
  readonly fillOnly: boolean;
  /** Keep the cluster after the measurement until interrupted. */
  readonly keep: boolean;
  /** A cluster that was filled before; one is started when absent. */
  readonly kubeconfig: string | undefined;
}

/** Reads `--pods N --namespaces N --rounds N --fill-only --keep --kubeconfig FILE`. Throws for anything else. */
export function readAuditOptions(args: readonly string[]): AuditOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pods: { type: 'string', default: '100000' },
      namespaces: { type: 'string', default: '2000' },
      rounds: { type: 'string', default: '3' },
      'fill-only': { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      kubeconfig: { type: 'string' },
    },
  });
  return {
    pods: whole('pods', values.pods),
    namespaces: whole('namespaces', values.namespaces),
    rounds: whole('rounds', values.rounds),
    fillOnly: values['fill-only'],
    keep: values.keep,
    kubeconfig: values.kubeconfig,
  };
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above 0, not "${text}"`);
  return value;
}
