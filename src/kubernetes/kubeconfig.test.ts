import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { KubernetesError } from './errors.ts';
import { inClusterAccess, loadKubeconfig, parseKubeconfig } from './kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-kubeconfig-'));
afterAll(() => rmSync(folder, { recursive: true }));
for (const [name, text] of Object.entries({ 'ca.crt': 'CA', 'c.crt': 'CERT', 'c.key': 'KEY', token: 'T' })) {
  writeFileSync(join(folder, name), text);
}

const text = `
apiVersion: v1
kind: Config
current-context: a
clusters:
- name: one
  cluster: {server: "https://10.0.0.1:6443/", certificate-authority: ca.crt, tls-server-name: kubernetes}
- name: two
  cluster: {server: "https://two.example/k8s", certificate-authority-data: ${Buffer.from('DATA').toString('base64')}, insecure-skip-tls-verify: true}
users:
- name: cert
  user: {client-certificate: c.crt, client-key-data: ${Buffer.from('INLINE').toString('base64')}}
- name: token
  user: {token: secret}
- name: file
  user: {tokenFile: token}
- name: plugin
  user: {exec: {command: aws}}
- name: half
  user: {client-certificate: c.crt}
contexts:
- {name: a, context: {cluster: one, user: cert}}
- {name: b, context: {cluster: two, user: token}}
- {name: c, context: {cluster: one, user: file}}
- {name: d, context: {cluster: one, user: plugin}}
- {name: e, context: {cluster: three}}
- {name: f, context: {cluster: one, user: half}}
`;

describe('kubeconfig', () => {
  it('takes the current context, files relative to itself', () => {
    writeFileSync(join(folder, 'config'), text);
    expect(loadKubeconfig(join(folder, 'config'))).toEqual({
      server: 'https://10.0.0.1:6443',
      insecure: false,
      ca: 'CA',
      serverName: 'kubernetes',
      clientCertificate: { cert: 'CERT', key: 'INLINE' },
    });
  });
  it('takes named contexts, data, tokens and token files', () => {
    expect(parseKubeconfig(text, folder, 'b')).toEqual({
      server: 'https://two.example/k8s',
      insecure: true,
      ca: 'DATA',
      token: 'secret',
    });
    expect(parseKubeconfig(text, folder, 'c').tokenFile).toBe(join(folder, 'token'));
  });
  it.each([
    ['x', 'no context "x"'],
    ['d', '"exec"'],
    ['e', 'no cluster "three"'],
    ['f', 'go together'],
  ])('refuses context %s', (context, part) => {
    expect(() => parseKubeconfig(text, folder, context)).toThrow(part);
  });
  it('says which file is missing', () => {
    expect(() => loadKubeconfig(join(folder, 'none'))).toThrow(/cannot read .*none/);
  });
  it('reads the mounted service account', () => {
    expect(inClusterAccess(folder)).toEqual({
      server: 'https://kubernetes.default.svc',
      insecure: false,
      ca: 'CA',
      tokenFile: `${folder}/token`,
    });
  });
  it('gives a located error for anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (anything) => {
        try {
          parseKubeconfig(anything, folder);
        } catch (error) {
          expect(error).toBeInstanceOf(KubernetesError);
        }
      }),
    );
  });
});
