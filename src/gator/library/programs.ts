/** One list of containers a program reads, and the word it has for them. */
export interface ContainerList {
  readonly field: 'containers' | 'initContainers' | 'ephemeralContainers';
  readonly word: 'container' | 'initContainer' | 'ephemeralContainer';
}

/** What a Rego program of the Gatekeeper library says, where its versions differ. */
export type ProgramMeaning =
  | {
      readonly kind: 'K8sAllowedRepos';
      readonly lists: readonly ContainerList[];
      readonly any: 'startswith' | 'prefix-match';
    }
  | { readonly kind: 'K8sAllowedReposv2' | 'K8sDisallowedRepos'; readonly lists: readonly ContainerList[] }
  | {
      readonly kind: 'K8sDisallowedTags';
      readonly lists: readonly ContainerList[];
      readonly exempts: boolean;
      readonly disallowed: 'endswith' | 'suffix-match';
      /** How an image without a tag is found; only `last-segment` knows that a registry may have a port. */
      readonly untagged: 'all' | 'contains' | 'last-segment';
    }
  | {
      readonly kind: 'K8sImageDigests';
      readonly lists: readonly ContainerList[];
      readonly exempts: boolean;
      readonly digest: 'all' | 'match';
    };

export interface RegoProgram {
  readonly meaning: ProgramMeaning;
  /** Versions of the library that have it, for people. */
  readonly versions: string;
  /** Also valid as Rego v1; the others are only read as v0. */
  readonly v1: boolean;
}

const OWN = {
  containers: 'container',
  initContainers: 'initContainer',
  ephemeralContainers: 'ephemeralContainer',
} as const;

function lists(...fields: readonly ContainerList['field'][]): readonly ContainerList[] {
  return fields.map((field) => ({ field, word: OWN[field] }));
}

/** All under the one word `container`. */
function plainLists(...fields: readonly ContainerList['field'][]): readonly ContainerList[] {
  return fields.map((field) => ({ field, word: 'container' }));
}

const ALL = ['containers', 'initContainers', 'ephemeralContainers'] as const;
const OLD = ['containers', 'initContainers'] as const;

function program(versions: string, meaning: ProgramMeaning, v1 = false): RegoProgram {
  return { versions, meaning, v1 };
}

/** Every program of the five kinds the library has published, by its fingerprint. */
export const KNOWN_PROGRAMS: ReadonlyMap<string, RegoProgram> = new Map([
  [
    'f112a6a415cd60c9ac3b8a1eb4a90a37598b633340e989432a4e160ea19abe26',
    program('of 2019 to 2021', { kind: 'K8sAllowedRepos', lists: plainLists(...OLD), any: 'startswith' }),
  ],
  [
    '0a29531349033ecf65f6ee08193496201e396ae3d9b3142fa9062b9f72486d7d',
    program('of November 2021', { kind: 'K8sAllowedRepos', lists: plainLists(...OLD), any: 'startswith' }),
  ],
  [
    'a2e9233782987fd53bb0780d6bee86036f08e9584de5858ff884e432d55aeee7',
    program('of 2021 and 2022', { kind: 'K8sAllowedRepos', lists: lists(...OLD), any: 'startswith' }),
  ],
  [
    'e845932ba0be9fc746b713fbc8483a63df473a2a3ee0d1678d742d1b0fedfa56',
    program('1.0.0', { kind: 'K8sAllowedRepos', lists: lists(...ALL), any: 'startswith' }),
  ],
  [
    '98a3d54c7e7c46e3c458f0df982ae046222cf0e2297e55615d3a87c03b0f2c22',
    program('1.0.1 and 1.0.2', { kind: 'K8sAllowedRepos', lists: lists(...ALL), any: 'prefix-match' }),
  ],
  [
    '9b9d4623dc15c2bb1fd34f18ec652a70aff93bfe23053fe751b31d8c429610fe',
    program('1.0.3', { kind: 'K8sAllowedRepos', lists: lists(...ALL), any: 'prefix-match' }, true),
  ],
  [
    '87e3674900ea64dea61833dc2abe5d657a5d2d97fab46728ddfc3f4a7ef97599',
    program('1.0.0', { kind: 'K8sAllowedReposv2', lists: lists(...ALL) }),
  ],
  [
    '4d9373e6099b5b5c0d68b7aa7eb5c0ca601067a3c71c2a5014fd6f43265b6ac1',
    program('1.0.1', { kind: 'K8sAllowedReposv2', lists: lists(...ALL) }, true),
  ],
  [
    'b302fab36c146f2c9cc76a1dc89e22b3b10b737aa6220165375ce559879d7343',
    program('1.0.0', { kind: 'K8sDisallowedRepos', lists: lists(...ALL) }),
  ],
  [
    'd1567bf28a503d49cbee98486dde93790486d9177f4bafc270fdcb36a56c4c27',
    program('1.0.1', { kind: 'K8sDisallowedRepos', lists: lists(...ALL) }, true),
  ],
  [
    '890c3875c9c3742f69c1cf8115efc94926e99f86a440957f32caff5fc278c1ce',
    program('of 2021 and 2022', {
      kind: 'K8sDisallowedTags',
      lists: plainLists(...OLD),
      exempts: false,
      disallowed: 'endswith',
      untagged: 'all',
    }),
  ],
  [
    '39b404acfb50b8f1269d278054ba401e0e4d1f6b2a2d0c2de49fa1780c664d45',
    program('of early 2022', {
      kind: 'K8sDisallowedTags',
      lists: plainLists(...OLD),
      exempts: true,
      disallowed: 'endswith',
      untagged: 'all',
    }),
  ],
  [
    'e12a18e64732fbce5b9d68be040df55746980d304ff078c0102d2a70bca8798b',
    program('1.0.0', {
      kind: 'K8sDisallowedTags',
      lists: plainLists(...ALL),
      exempts: true,
      disallowed: 'endswith',
      untagged: 'all',
    }),
  ],
  [
    '14ce6fa87931afaf6a4ef76bf3c6f7f978e898902b079ba7e80608b0835bc875',
    program('1.0.1', {
      kind: 'K8sDisallowedTags',
      lists: plainLists(...ALL),
      exempts: true,
      disallowed: 'suffix-match',
      untagged: 'contains',
    }),
  ],
  [
    '6ce145264855bf2403de33b3358f7a2cf1669f13a579f420d0381b17dc5fd302',
    program('1.0.2', {
      kind: 'K8sDisallowedTags',
      lists: plainLists(...ALL),
      exempts: true,
      disallowed: 'suffix-match',
      untagged: 'last-segment',
    }),
  ],
  [
    '5a743aa7cb31ec6eac5980e0f89f0c07bf72f26dea6a5dc95e71c347914a641e',
    program(
      '1.0.3',
      {
        kind: 'K8sDisallowedTags',
        lists: plainLists(...ALL),
        exempts: true,
        disallowed: 'suffix-match',
        untagged: 'last-segment',
      },
      true,
    ),
  ],
  [
    '39563bd2815a66bba0ff601b1e5c3c101fd904f6dfb2cb3fdc8e5595373f1775',
    program('of 2020 and 2021', { kind: 'K8sImageDigests', lists: lists(...OLD), exempts: false, digest: 'all' }),
  ],
  [
    'c61778d8217b7a2831f51b63903a0dcf3f6499397be64e946def184e364891d4',
    program('of early 2022', { kind: 'K8sImageDigests', lists: lists(...OLD), exempts: true, digest: 'all' }),
  ],
  [
    '414aa68449bca5f64dd586c943cde72e2ade1240d2805ea714827c63a50e324b',
    program('1.0.0', { kind: 'K8sImageDigests', lists: lists(...ALL), exempts: true, digest: 'all' }),
  ],
  [
    'd47a6ba88c99ccba0d37f4b1bdf66c86797cb8ce8faf9810d3b94228d756f559',
    program('1.0.1', { kind: 'K8sImageDigests', lists: lists(...ALL), exempts: true, digest: 'match' }),
  ],
  [
    '1c88f2bb30eb8cdca2f012539774815235ed7d1ffa3aeb7d6f5c4f76ed1b037d',
    program('1.0.2', { kind: 'K8sImageDigests', lists: lists(...ALL), exempts: true, digest: 'match' }, true),
  ],
]);

/** Programs the library had and that say something else than any rule here: refused by their name. */
export const REFUSED_PROGRAMS: ReadonlyMap<string, string> = new Map([
  ['39a4bfa16e9afffa239de726933018a76c361d0ff62fbb19b782ed7e2756736b', 'K8sAllowedRepos 2.0.0, withdrawn in 2024'],
  ['18a806522834bc9a5ff213adf2fa64886edee8a3de68f556119c9bf9095f4dac', 'K8sAllowedReposV2 2.0.0, withdrawn in 2024'],
  ['45c78a3816ef2e59466561241def9fa43056438eb8bc9b383e280e22d497fb8b', 'a draft of K8sDisallowedTags of February 2021'],
  ['949136e408661ac41ca1440bf39fdd0bc9bfebd0c42db8dac1ad1bdc70cc8c44', 'a draft of K8sDisallowedTags of February 2021'],
  ['22e9dce4c0aff02f1a6a079948a06b4001d1cb7a1450f1fd391ab33168690018', 'a draft of K8sDisallowedTags of February 2021'],
  ['79807e093cfe57074475fc5cdc639b0c0b0d007191cb07cdf024ed3cf38b9acc', 'a draft of K8sDisallowedTags of February 2021'],
  [
    '97642297707729164ce483e4a61e01dc0dee45443c39c24950e07d9694700130',
    'K8sImageDigests with exemptImagePrefixes, of December 2021',
  ],
]);
