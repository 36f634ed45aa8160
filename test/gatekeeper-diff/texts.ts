import type { Random } from '../../dev/fuzz/random.ts';

const REGISTRIES = [
  'harbor.example.com',
  'harbor.example.com.evil.io',
  'harbor.example.com:5000',
  'docker.io',
  'index.docker.io',
  'quay.io',
  'registry.k8s.io',
  'ghcr.io',
  '123456789123.dkr.ecr.eu-west-1.amazonaws.com',
  '[::1]:5000',
  'LOCALHOST:5000',
];
const PATHS = [
  'team/app',
  'team/appevil',
  'library/nginx',
  'nginx',
  'a/b/c/d',
  'coredns/coredns',
  'Team/App',
  'x__y/z-1',
];
const TAGS = ['', ':latest', ':1.16.0', ':v2', ':1', ':LATEST', ':', ':a:b', ':1.2.3-alpine', ':0'];
const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const DIGESTS = [
  '',
  '',
  '',
  `@${DIGEST}`,
  '@sha256:1',
  '@sha512:abc',
  '@md5+x:aa',
  '@',
  '@sha256:',
  '@SHA256:ab',
  '@sha256:_=',
];
/** Texts nobody means as an image; several are ones an API server takes for a pod all the same. */
const ODD = [
  'nginx"quoted"',
  "nginx'quoted'",
  'a<b>&c',
  'ünï/çödé:tag',
  '100%d/%s:%v',
  'nginx\\back',
  'two words:1',
  '名前/画像:最新',
  'rocket/🚀:1',
  'line\u2028separator',
  'ctrl\u0001\u007f',
  'tab\tand\nnewline',
  'right\u202eleft',
  'http://nginx',
  '*',
  'nginx*',
  '/nginx',
  'nginx/',
  '//',
  '@',
  ':',
  'a'.repeat(300),
  'é\u0301\ufeff\ufffd',
  '\u0085\u00a0\u00ad',
  '\ud83d\udc68\u200d\ud83d\udc69',
];
const ODD_NAMES = [
  'we"b',
  'a<b>&c',
  'ünï',
  '%d%s%%',
  'back\\slash',
  'UPPER',
  '',
  ' ',
  'c\u0001',
  'new\nline',
  '🚀',
  'a'.repeat(80),
];
const NAMES = ['web', 'main', 'app', 'sidecar', 'init', 'db', 'log-shipper'];

/** An image as a manifest names it; sometimes a text that is none. */
export function image(random: Random, odd = 0.12): string {
  if (random.chance(odd)) return random.pick(ODD);
  const registry = random.chance(0.35) ? '' : `${random.pick(REGISTRIES)}/`;
  return `${registry}${random.pick(PATHS)}${random.pick(TAGS)}${random.pick(DIGESTS)}`;
}

export function containerName(random: Random): string {
  return random.chance(0.12) ? random.pick(ODD_NAMES) : random.pick(NAMES);
}

/** A prefix, whole image or pattern for the list of a constraint. */
export function entry(random: Random): string {
  const whole = image(random, 0.05);
  switch (random.under(8)) {
    case 0:
      return random.pick(REGISTRIES);
    case 1:
      return `${random.pick(REGISTRIES)}/`;
    case 2:
      return whole;
    case 3:
      return `${whole}*`;
    case 4:
      return `${random.pick(REGISTRIES)}/${random.pick(PATHS)}`;
    case 5:
      return whole.slice(0, random.under(whole.length + 1));
    case 6:
      return `${whole.slice(0, random.under(whole.length + 1))}*`;
    default:
      return random.pick(['', '*', '**', 'nginx', '*nginx', 'docker.io/*', 'quay.io/', ...ODD]);
  }
}

export function tag(random: Random): string {
  return random.pick(['latest', '1', 'v2', '', '0', 'LATEST', 'a:b', '1.16.0', 'alpine', '*', '"', '%', 'é']);
}

/** Up to `most` values; now and then one twice. */
export function several<Value>(random: Random, most: number, make: (random: Random) => Value): Value[] {
  const values = Array.from({ length: random.under(most + 1) }, () => make(random));
  const [first] = values;
  return first !== undefined && random.chance(0.1) ? [...values, first] : values;
}
