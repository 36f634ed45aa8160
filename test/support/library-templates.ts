import type { ProgramMeaning, RegoProgram } from '../../src/gator/library/programs.ts';

/** The Rego modules that say what a program means, letter for letter as Gatekeeper's library writes them. */
export function regoOf({ meaning, v1, versions }: RegoProgram): readonly string[] {
  const body = [
    `package ${meaning.kind.toLowerCase()}`,
    ...imports(meaning, v1),
    ...rulesOf(meaning, v1, versions),
  ].join('\n\n');
  return exempts(meaning) ? [body, exemptLibrary(v1)] : [body];
}

/** A ConstraintTemplate with such a program, as an object. */
export function templateOf(program: RegoProgram, apiVersion = 'templates.gatekeeper.sh/v1'): Record<string, unknown> {
  const { kind } = program.meaning;
  const [rego, ...libs] = regoOf(program);
  const list = { type: 'array', items: { type: 'string' } };
  const lists: Record<string, readonly string[]> = {
    K8sAllowedRepos: ['repos'],
    K8sDisallowedRepos: ['repos'],
    K8sAllowedReposv2: ['allowedImages'],
    K8sDisallowedTags: ['tags', 'exemptImages'],
    K8sImageDigests: ['exemptImages'],
  };
  return {
    apiVersion,
    kind: 'ConstraintTemplate',
    metadata: { name: kind.toLowerCase() },
    spec: {
      crd: {
        spec: {
          names: { kind },
          validation: {
            ...(apiVersion.endsWith('/v1') ? {} : { legacySchema: false }),
            openAPIV3Schema: {
              type: 'object',
              properties: Object.fromEntries((lists[kind] ?? []).map((name) => [name, list])),
            },
          },
        },
      },
      targets: [{ target: 'admission.k8s.gatekeeper.sh', rego, ...(libs.length > 0 ? { libs } : {}) }],
    },
  };
}

function exempts(meaning: ProgramMeaning): boolean {
  return 'exempts' in meaning && meaning.exempts;
}

function imports(meaning: ProgramMeaning, v1: boolean): string[] {
  return [
    ...(v1 ? ['import future.keywords.contains\nimport future.keywords.if'] : []),
    ...(exempts(meaning) ? ['import data.lib.exempt_container.is_exempt'] : []),
  ];
}

function violation(v1: boolean, lines: readonly string[]): string {
  return [v1 ? 'violation contains ({"msg": msg}) if {' : 'violation[{"msg": msg}] {', ...lines, '}'].join('\n');
}

/** A function or set that holds under some lines. */
function rule(v1: boolean, head: string, lines: readonly string[]): string {
  return [`${head}${v1 ? ' if' : ''} {`, ...lines, '}'].join('\n');
}

function rulesOf(meaning: ProgramMeaning, v1: boolean, versions: string): string[] {
  switch (meaning.kind) {
    case 'K8sAllowedRepos':
      return allowedRepos(meaning, v1, versions);
    case 'K8sAllowedReposv2':
      return [
        ...meaning.lists.map(({ field, word }) =>
          violation(v1, [
            `container := input.review.object.spec.${field}[_]`,
            'not image_matches(container.image, input.parameters.allowedImages)',
            `msg := sprintf("${word} <%v> has an invalid image <%v>, allowed images are %v", [container.name, container.image, input.parameters.allowedImages])`,
          ]),
        ),
        rule(v1, 'image_matches(image, images)', [
          'i_image := images[_]',
          'not endswith(i_image, "*")',
          'i_image == image',
        ]),
        rule(v1, 'image_matches(image, images)', [
          'i_image := images[_]',
          'endswith(i_image, "*")',
          'prefix := trim_suffix(i_image, "*")',
          'startswith(image, prefix)',
        ]),
      ];
    case 'K8sDisallowedRepos':
      return meaning.lists.map(({ field, word }) =>
        violation(v1, [
          `container := input.review.object.spec.${field}[_]`,
          'image := container.image',
          'startswith(image, input.parameters.repos[_])',
          `msg := sprintf("${word} <%v> has an invalid image repo <%v>, disallowed repos are %v", [container.name, container.image, input.parameters.repos])`,
        ]),
      );
    case 'K8sDisallowedTags':
      return [...tagRules(meaning, v1), ...containerSet(meaning, v1)];
    case 'K8sImageDigests':
      return meaning.lists.map(({ field, word }) =>
        violation(v1, [
          `container := input.review.object.spec.${field}[_]`,
          ...(meaning.exempts ? ['not is_exempt(container)'] : []),
          ...(meaning.digest === 'all'
            ? [`satisfied := [re_match("${DIGEST}", container.image)]`, 'not all(satisfied)']
            : [`not regex.match("${DIGEST}", container.image)`]),
          `msg := sprintf("${word} <%v> uses an image without a digest <%v>", [container.name, container.image])`,
        ]),
      );
  }
}

const DIGEST = '@[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+';

function allowedReposMessage(word: string): string {
  return `msg := sprintf("${word} <%v> has an invalid image repo <%v>, allowed repos are %v", [container.name, container.image, input.parameters.repos])`;
}

function allowedRepos(meaning: ProgramMeaning & { kind: 'K8sAllowedRepos' }, v1: boolean, versions: string): string[] {
  const test =
    meaning.any === 'startswith'
      ? [
          'satisfied := [good | repo = input.parameters.repos[_] ; good = startswith(container.image, repo)]',
          'not any(satisfied)',
        ]
      : ['not strings.any_prefix_match(container.image, input.parameters.repos)'];
  // For some weeks of 2021 the containers were collected in a set.
  if (versions === 'of November 2021') {
    return [
      violation(v1, ['container := input_containers[_]', ...test, allowedReposMessage('container')]),
      ...containerSet(meaning, v1),
    ];
  }
  return meaning.lists.map(({ field, word }) =>
    violation(v1, [`container := input.review.object.spec.${field}[_]`, ...test, allowedReposMessage(word)]),
  );
}

function containerSet(meaning: ProgramMeaning, v1: boolean): string[] {
  return meaning.lists.map(({ field }) =>
    rule(v1, v1 ? 'input_containers contains c' : 'input_containers[c]', [`c := input.review.object.spec.${field}[_]`]),
  );
}

function tagRules(meaning: ProgramMeaning & { kind: 'K8sDisallowedTags' }, v1: boolean): string[] {
  const start = ['container := input_containers[_]', ...(meaning.exempts ? ['not is_exempt(container)'] : [])];
  const uses =
    meaning.disallowed === 'endswith'
      ? [
          'tags := [forbid | tag = input.parameters.tags[_] ; forbid = endswith(container.image, concat(":", ["", tag]))]',
          'any(tags)',
        ]
      : [
          'tags := [tag_with_prefix | tag := input.parameters.tags[_]; tag_with_prefix := concat(":", ["", tag])]',
          'strings.any_suffix_match(container.image, tags)',
        ];
  const lacks = {
    all: ['tag := [contains(container.image, ":")]', 'not all(tag)'],
    contains: ['not contains(container.image, ":")'],
    'last-segment': ['parts := split(container.image, "/")', 'not contains(parts[count(parts) - 1], ":")'],
  }[meaning.untagged];
  return [
    violation(v1, [
      ...start,
      ...uses,
      'msg := sprintf("container <%v> uses a disallowed tag <%v>; disallowed tags are %v", [container.name, container.image, input.parameters.tags])',
    ]),
    violation(v1, [
      ...start,
      ...lacks,
      `msg := sprintf("container <%v> didn't specify an image tag <%v>", [container.name, container.image])`,
    ]),
  ];
}

function exemptLibrary(v1: boolean): string {
  return [
    'package lib.exempt_container',
    ...(v1 ? ['import future.keywords.contains\nimport future.keywords.if'] : []),
    rule(v1, 'is_exempt(container)', [
      'exempt_images := object.get(object.get(input, "parameters", {}), "exemptImages", [])',
      'img := container.image',
      'exemption := exempt_images[_]',
      '_matches_exemption(img, exemption)',
    ]),
    rule(v1, '_matches_exemption(img, exemption)', ['not endswith(exemption, "*")', 'exemption == img']),
    rule(v1, '_matches_exemption(img, exemption)', [
      'endswith(exemption, "*")',
      'prefix := trim_suffix(exemption, "*")',
      'startswith(img, prefix)',
    ]),
  ].join('\n\n');
}
