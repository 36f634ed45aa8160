import type { z } from 'zod';
import { type FeedFact, type FeedRecord, problem } from '../advisory.ts';
import { createProductTree } from './product-tree.ts';
import { productSchema, relationshipSchema, remediationSchema, scoreSchema, threatSchema } from './schema.ts';
import { CSAF_FEED, createVulnerability, type Vulnerability } from './vulnerability.ts';

/** Statements of one document, a multiple of what the largest real one gives. */
const MAX_FACTS = 1_000_000;
const MAX_MALFORMED = 100;

/** Takes a CSAF document apart: the parts come in the order of the document, the product tree before the vulnerabilities. */
export interface DocumentParts {
  /** `document.tracking.id` and its date. */
  tracking(id: unknown, modified: unknown): void;
  readonly product: (value: unknown) => void;
  readonly relationship: (value: unknown) => void;
  startVulnerability(): void;
  cve(value: unknown): void;
  published(value: unknown): void;
  status(kind: string, productId: unknown): void;
  readonly remediation: (value: unknown) => void;
  readonly threat: (value: unknown) => void;
  readonly score: (value: unknown) => void;
  endVulnerability(): void;
  /** Everything the document says. */
  record(): FeedRecord;
}

/** `name` stands for the document until its own id is known. */
export function createDocumentParts(name: string): DocumentParts {
  const tree = createProductTree();
  const facts: FeedFact[] = [];
  let id = name;
  let modified: string | undefined;
  let current: Vulnerability | undefined;
  let malformed = 0;

  function take<T>(schema: z.ZodType<T>, value: unknown, use: (parsed: T) => void): void {
    const parsed = schema.safeParse(value);
    if (parsed.success) use(parsed.data);
    else if (++malformed <= MAX_MALFORMED) {
      const [issue] = parsed.error.issues;
      facts.push(problem('malformed-record', id, `${issue?.path.join('.')}: ${issue?.message}`));
    }
  }

  return {
    tracking(value, date) {
      if (typeof value === 'string' && value !== '') id = value.slice(0, 200);
      if (typeof date === 'string') modified = date.slice(0, 50);
    },
    product: (value) => take(productSchema, value, (product) => tree.addProduct(product)),
    relationship: (value) => take(relationshipSchema, value, (relationship) => tree.addRelationship(relationship)),
    startVulnerability() {
      current = createVulnerability(tree);
    },
    cve(value) {
      if (typeof value === 'string' && /^CVE-\d{4}-\d{4,19}$/.test(value)) current?.setCve(value);
    },
    published(value) {
      if (typeof value === 'string') current?.setPublished(value.slice(0, 50));
    },
    status(kind, productId) {
      if (typeof productId === 'string') current?.addStatus(kind, productId);
    },
    remediation: (value) => take(remediationSchema, value, (remediation) => current?.addRemediation(remediation)),
    threat: (value) => take(threatSchema, value, (threat) => current?.addThreat(threat)),
    score: (value) => take(scoreSchema, value, (score) => current?.addScore(score)),
    endVulnerability() {
      const found = current?.facts(id) ?? [];
      current = undefined;
      if (facts.length + found.length > MAX_FACTS) facts.push(problem('too-large', id, `over ${MAX_FACTS} statements`));
      else for (const fact of found) facts.push(fact);
    },
    record() {
      const ecosystems = new Set(facts.flatMap((fact) => (fact.kind === 'statement' ? [fact.ecosystem] : [])));
      return { facts, feed: CSAF_FEED, ecosystems: [...ecosystems], ...(modified === undefined ? {} : { modified }) };
    },
  };
}
