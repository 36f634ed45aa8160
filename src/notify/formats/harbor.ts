import { projectOf } from '../../model/project-name.ts';
import { SEVERITIES, type Severity } from '../../model/severity.ts';
import { toRfc3339 } from '../../platform/clock.ts';
import type { VerdictChangeData } from '../event-data.ts';
import type { Message } from '../message.ts';
import { lineOf } from '../words.ts';

const REPORT = 'application/vnd.security.vulnerability.report; version=1.1';
const SEVERITY_WORDS: Readonly<Record<Severity, string>> = {
  none: 'None',
  unknown: 'Unknown',
  negligible: 'Negligible',
  low: 'Low',
  medium: 'Medium',
  high: 'High',
  critical: 'Critical',
};

/**
 * The body of Harbor's webhooks in the format `Default`. What Harbor knows has its type; what it does not know has ours, with the text
 * in `event_data.custom_attributes`. `host` is the registry's in addresses of images.
 */
export function harborBody(message: Message, host: string): string {
  const { type, at, uid } = message;
  const { repository, resources, operator, harborType } = partsOf(message, host);
  return JSON.stringify({
    type: harborType ?? type,
    occur_at: Math.floor(at / 1000),
    operator,
    event_data: {
      resources,
      ...(repository === undefined ? {} : { repository: repositoryOf(repository) }),
      custom_attributes: { event_id: uid, event_type: type, text: lineOf(message) },
    },
  });
}

interface Parts {
  readonly harborType?: string;
  readonly operator: string;
  readonly repository?: string;
  readonly resources: readonly object[];
}

function partsOf(message: Message, host: string): Parts {
  switch (message.type) {
    case 'PUSH': {
      const { repository, digest, tags, by } = message.data;
      const named = tags.length > 0 ? tags : [digest];
      return {
        harborType: 'PUSH_ARTIFACT',
        operator: by,
        repository,
        resources: named.map((tag) => resource(host, repository, { digest, tag })),
      };
    }
    case 'DELETE': {
      const { repository, digest, tags, by, deleted } = message.data;
      const named = tags.length > 0 ? tags : [digest];
      return {
        // Harbor tells nothing of a tag that goes alone.
        ...(deleted === 'manifest' ? { harborType: 'DELETE_ARTIFACT' } : { harborType: 'DELETE_TAG' }),
        operator: by,
        repository,
        resources: named.map((tag) => resource(host, repository, { digest, tag })),
      };
    }
    case 'PULL_BLOCKED': {
      const { repository, digest, reference, by } = message.data;
      return {
        operator: by,
        repository,
        resources: [resource(host, repository, { digest, tag: reference ?? digest })],
      };
    }
    case 'VERDICT_CHANGED': {
      const { changes } = message.data;
      return {
        harborType: 'SCANNING_COMPLETED',
        operator: 'auto',
        ...repositoryOfAll(changes),
        resources: changes.map((change) => ({
          ...resource(host, change.repository, { digest: change.digest, tag: change.digest }),
          scan_overview: { [REPORT]: overview(change, message.at) },
        })),
      };
    }
    case 'GRACE_ENDING':
      return {
        operator: 'auto',
        ...repositoryOfAll(message.data.images),
        resources: message.data.images.map(({ repository, digest }) =>
          resource(host, repository, { digest, tag: digest }),
        ),
      };
    default:
      return { operator: 'by' in message.data ? message.data.by : 'auto', resources: [] };
  }
}

function repositoryOfAll(images: readonly { readonly repository: string }[]): { readonly repository?: string } {
  const [first] = images;
  return first && images.every(({ repository }) => repository === first.repository)
    ? { repository: first.repository }
    : {};
}

function resource(
  host: string,
  repository: string,
  { digest, tag }: { readonly digest: string; readonly tag: string },
) {
  const separator = tag.includes(':') ? '@' : ':';
  return { digest, tag, resource_url: `${host}/${repository}${separator}${tag}` };
}

function repositoryOf(repository: string) {
  const namespace = projectOf(repository);
  return {
    name: repository.slice(namespace.length + 1),
    namespace,
    repo_full_name: repository,
    repo_type: 'private',
  };
}

function overview({ counts }: VerdictChangeData, at: number) {
  const present = SEVERITIES.filter((severity) => (counts.bySeverity[severity] ?? 0) > 0);
  const time = toRfc3339(at);
  return {
    report_id: '',
    scan_status: 'Success',
    severity: SEVERITY_WORDS[present.at(-1) ?? 'none'],
    duration: 0,
    summary: {
      total: counts.total,
      fixable: counts.fixable,
      summary: Object.fromEntries(present.map((severity) => [SEVERITY_WORDS[severity], counts.bySeverity[severity]])),
    },
    start_time: time,
    end_time: time,
    scanner: { name: 'Breakwater', vendor: 'Breakwater', version: '1' },
    complete_percent: 100,
  };
}
