import { createServer } from 'node:https';
import { join } from 'node:path';
import { openCertificates } from '../../src/admission/certificates.ts';
import { systemClock } from '../../src/platform/clock.ts';

/**
 * The least a webhook on this platform does: TLS, read, parse, compare one prefix, answer. What it gives is the limit of all that
 * can be had. Arguments: a folder for its certificate, the prefix; prints its port.
 */
const [folder = '', prefix = ''] = process.argv.slice(2);

interface Review {
  readonly request: {
    readonly uid: string;
    readonly object: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
}

const certificates = await openCertificates({ folder: join(folder, 'bare'), hosts: ['127.0.0.1'], clock: systemClock });
const server = createServer(certificates.tls(), (request, reply) => {
  let text = '';
  request.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  request.on('end', () => {
    const { uid, object } = (JSON.parse(text) as Review).request;
    const allowed = object.spec.containers.every(({ image }) => image.startsWith(prefix));
    const status = allowed ? {} : { status: { code: 403, message: 'no' } };
    const response = JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid, allowed, ...status },
    });
    reply.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(response) });
    reply.end(response);
  });
});
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(`port ${typeof address === 'object' && address ? address.port : 0}`);
});
