/** A pod with one container, as JSON for kubectl. */
export function pod(name: string, container: string, image: string, namespace = 'default'): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { containers: [{ name: container, image }] },
  });
}

/** A deployment with one container called main. */
export function deployment(name: string, image: string, namespace = 'default'): string {
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image }] } },
    },
  });
}

/** An object that another one controls. */
export function owned(apiVersion: string, kind: string, name: string, owner: object, spec: object): string {
  const metadata = { name, namespace: 'default', ownerReferences: [owner], labels: { app: 'web' } };
  return JSON.stringify({ apiVersion, kind, metadata, spec });
}
