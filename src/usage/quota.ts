import { formatBytes } from '../platform/byte-size.ts';

/** In `projects.quota`: as much as there is space, whatever the installation says. */
export const UNLIMITED = -1;
/** From here on pushes are answered with a warning. */
const WARN_FROM = 0.85;

/** How full a project with a quota is; bytes. */
export interface Fullness {
  readonly project: string;
  readonly used: number;
  readonly quota: number;
}

/** Bytes that a project may hold; undefined: any number. `own` is as in `projects.quota`. */
export function effectiveQuota(own: number | null, installation: number | undefined): number | undefined {
  if (own === null) return installation;
  return own === UNLIMITED ? undefined : own;
}

/** Why something does not come into a project, and what to do. `wanted`: its bytes, when they are known. */
export function quotaRefusal({ project, used, quota }: Fullness, wanted?: number): string {
  const room =
    wanted === undefined ? 'nothing more can be pushed to it' : `${formatBytes(wanted)} more cannot be pushed to it`;
  return `project "${project}" uses ${formatBytes(used)} of its quota of ${formatBytes(quota)}: ${room}; ${WAY_OUT}`;
}

/** A sentence once a project is nearly full; undefined before. */
export function quotaWarning({ project, used, quota }: Fullness): string | undefined {
  if (used < quota * WARN_FROM) return undefined;
  const share = quota === 0 ? 100 : Math.floor((used / quota) * 100);
  return `project "${project}" uses ${share} % of its quota of ${formatBytes(quota)}: pushes are refused when it is full; ${WAY_OUT}`;
}

const WAY_OUT = 'delete images that are not needed, or ask an administrator for a larger quota';
