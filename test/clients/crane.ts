import { layoutDigest } from '../support/oci-layout.ts';
import { requirePeer } from '../support/peers.ts';
import { run } from '../support/program.ts';
import { type Client, done, OPERATIONS, refused, same } from './client.ts';

export const crane: Client = {
  name: 'crane',
  peer: 'crane',
  can: OPERATIONS,
  open({ host, config, layout, index, digest, indexDigest, broken, fresh, folder }) {
    const call = (...args: string[]) =>
      run(requirePeer('crane'), ['--insecure', ...args], { environment: { DOCKER_CONFIG: config } });
    const image = `${host}/clients/crane:1`;
    const copied = `${host}/clients/crane-copy`;
    return {
      operations: {
        async push() {
          done(await call('push', layout, image));
          done(await call('push', '--index', index, `${host}/clients/crane:index`));
        },
        async pull() {
          const back = await folder();
          done(await call('pull', '--format=oci', image, back));
          same(await layoutDigest(back), digest, 'digest of what came back');
          done(await call('validate', '--remote', image));
          // Pushed from a layout, what it holds is listed by an index of its own.
          const listed = JSON.parse(done(await call('manifest', `${host}/clients/crane:index`)).stdout) as {
            manifests: readonly { digest: string }[];
          };
          same(listed.manifests[0]?.digest, indexDigest, 'digest of the index that came back');
        },
        async list() {
          same(done(await call('ls', `${host}/clients/crane`)).stdout, '1\nindex\n', 'tags');
          const catalog = done(await call('catalog', host)).stdout.split('\n');
          same(catalog.includes('clients/crane'), true, 'the catalogue names it');
        },
        async copy() {
          done(await call('copy', image, `${copied}:1`));
          same(done(await call('digest', `${copied}:1`)).stdout.trim(), digest, 'digest of the copy');
        },
        async again() {
          const target = `${broken.host}/clients/crane-again:1`;
          const { layout: own, digest: expected } = await fresh();
          refused(await call('push', own, target));
          broken.mend();
          done(await call('push', own, target));
          same(done(await call('digest', target)).stdout.trim(), expected, 'digest after the interruption');
        },
        async delete() {
          done(await call('delete', `${copied}@${digest}`));
          refused(await call('digest', `${copied}:1`));
        },
      },
    };
  },
};
