import { renderGuardManifests } from '../admission/manifests.ts';
import type { GuardAccess } from '../api/index.ts';
import type { Guard } from './guard.ts';

type RunningGuard = Pick<Guard, 'caBundle' | 'webhookUrl' | 'constraintName' | 'followsCluster' | 'audit'>;

/** The running guard as the management API asks it. */
export function createGuardAccess(guard: RunningGuard): GuardAccess {
  const { audit } = guard;
  return {
    manifests({ repos, name, enforcement, style, url, service, document, pinning, ...more }) {
      return renderGuardManifests({
        constraintName: name ?? guard.constraintName,
        repos,
        enforcementAction: enforcement,
        ...(style ? { style } : {}),
        ...(pinning ? { pinning } : {}),
        webhook: service === undefined ? { url: url ?? guard.webhookUrl } : { service },
        ...(guard.caBundle === undefined ? {} : { caBundle: guard.caBundle }),
        ...(more.failurePolicy ? { failurePolicy: more.failurePolicy } : {}),
        ...(more.replicas === undefined ? {} : { replicas: more.replicas }),
        constraint: document ? 'document' : guard.followsCluster || service !== undefined ? 'by-guard' : 'later',
      });
    },
    ...(audit ? { auditNow: () => audit.runNow() } : {}),
  };
}
