/** Namespace of the pod; it must exist where a webhook looks it up. */
export const REVIEWED_NAMESPACE = 'production';

/** An AdmissionReview as the API server sends it for a new pod with one container, about 1.5 KB of JSON. */
export function review(image: string): string {
  const kind = { group: '', version: 'v1', kind: 'Pod' };
  const resource = { group: '', version: 'v1', resource: 'pods' };
  return JSON.stringify({
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: '4f3a9d4e-5b6d-4f0e-9c57-0a2f6d1f7a11',
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name: 'web-6d4cf56db6-7xk2p',
      namespace: REVIEWED_NAMESPACE,
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:kube-system:replicaset-controller',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
      },
      object: {
        kind: 'Pod',
        apiVersion: 'v1',
        metadata: {
          name: 'web-6d4cf56db6-7xk2p',
          namespace: REVIEWED_NAMESPACE,
          labels: { app: 'web', 'pod-template-hash': '6d4cf56db6' },
          creationTimestamp: '2026-01-01T00:00:00Z',
        },
        spec: {
          containers: [
            {
              name: 'web',
              image,
              ports: [{ containerPort: 8080, protocol: 'TCP' }],
              env: [{ name: 'LOG_LEVEL', value: 'info' }],
              resources: { limits: { memory: '256Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
              volumeMounts: [{ name: 'token', readOnly: true, mountPath: '/var/run/secrets/token' }],
              terminationMessagePath: '/dev/termination-log',
              imagePullPolicy: 'IfNotPresent',
              securityContext: { allowPrivilegeEscalation: false, runAsNonRoot: true },
            },
          ],
          volumes: [{ name: 'token', projected: { sources: [], defaultMode: 420 } }],
          restartPolicy: 'Always',
          dnsPolicy: 'ClusterFirst',
          serviceAccountName: 'default',
        },
        status: { phase: 'Pending', qosClass: 'Burstable' },
      },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  });
}
