import type { ClusterAudit } from '../cluster/audit-store.ts';

export type {
  ClusterAudit as AuditRun,
  ClusterImage as RunningImage,
  ClusterViolation as AuditViolation,
} from '../cluster/audit-store.ts';

/** Keeps audit runs. Implemented by `cluster`. */
export interface AuditSink {
  recordAudit(run: ClusterAudit): Promise<void>;
}
