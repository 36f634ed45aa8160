import { layoutDigest } from '../support/oci-layout.ts';
import { requirePeer } from '../support/peers.ts';
import { run } from '../support/program.ts';
import { type Client, done, OPERATIONS, refused, same } from './client.ts';

const call = (...args: string[]) => run(requirePeer('skopeo'), ['--insecure-policy', ...args]);

export const skopeo: Client = {
  name: 'skopeo',
  peer: 'skopeo',
  can: OPERATIONS,
  open({ host, user, password, layout, name, digest, index, indexDigest, broken, fresh, folder }) {
    const login = `${user}:${password}`;
    const to = ['--dest-tls-verify=false', `--dest-creds=${login}`];
    const from = ['--src-tls-verify=false', `--src-creds=${login}`];
    const at = ['--tls-verify=false', `--creds=${login}`];
    const image = `docker://${host}/clients/skopeo:1`;
    const copied = `docker://${host}/clients/skopeo-copy:1`;
    return {
      operations: {
        async push() {
          done(await call('copy', ...to, `oci:${layout}:${name}`, image));
          done(await call('copy', '--all', ...to, `oci:${index}:${name}`, `docker://${host}/clients/skopeo:index`));
        },
        async pull() {
          const back = await folder();
          done(await call('copy', ...from, image, `oci:${back}:${name}`));
          same(await layoutDigest(back), digest, 'digest of what came back');
          const all = await folder();
          done(await call('copy', '--all', ...from, `docker://${host}/clients/skopeo:index`, `oci:${all}:${name}`));
          same(await layoutDigest(all), indexDigest, 'digest of the index that came back');
        },
        async list() {
          const { stdout } = done(await call('list-tags', ...at, `docker://${host}/clients/skopeo`));
          same(JSON.stringify((JSON.parse(stdout) as { Tags: string[] }).Tags), '["1","index"]', 'tags');
        },
        async copy() {
          done(await call('copy', ...from, ...to, image, copied));
          same(
            (JSON.parse(done(await call('inspect', ...at, copied)).stdout) as { Digest: string }).Digest,
            digest,
            'copy',
          );
        },
        async again() {
          const target = `docker://${broken.host}/clients/skopeo-again:1`;
          const { layout: own } = await fresh();
          refused(await call('copy', '--retry-times=0', ...to, `oci:${own}:${name}`, target));
          broken.mend();
          done(await call('copy', ...to, `oci:${own}:${name}`, target));
        },
        async delete() {
          done(await call('delete', ...at, copied));
          refused(await call('inspect', ...at, copied));
        },
      },
    };
  },
};
