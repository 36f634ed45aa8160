import { SaxesParser } from 'saxes';
import { messageOf } from '../../platform/errors.ts';
import { createSbomCollector, type SbomCollector } from './collect.ts';
import { itemsOfComponent } from './cyclonedx-component.ts';
import type { DocumentBytes } from './document-bytes.ts';
import type { RefusedSbom, Sbom } from './types.ts';

/** Members of an element by name, in the shape of the JSON form. */
type Members = Record<string, unknown>;

const CHUNK = 64 * 1024;
const DEEPEST = 200;
const LONGEST_TEXT = 64 * 1024;
/** Elements inside one component. */
const MOST_PARTS = 100_000;
const NAMESPACE = /^http:\/\/cyclonedx\.org\/schema\/bom\/1\.\d+$/;

/**
 * Reads CycloneDX 1.2 to 1.7 in XML. One component at a time is in memory. Documents with a document type are refused: no
 * bill of materials has one, and entities that stand for more than they are long are declared there.
 */
export function readXmlDocument(bytes: DocumentBytes): Sbom | RefusedSbom {
  const collector = createSbomCollector();
  const parser = new SaxesParser({ xmlns: false });
  const reader = createReader(collector);
  parser.on('error', (error) => reader.fail(`it is no well-formed XML: ${messageOf(error).slice(0, 200)}`));
  parser.on('doctype', () => reader.refuse('it declares a document type (DOCTYPE), which no bill of materials has'));
  parser.on('opentag', ({ name, attributes }) => reader.open(name, attributes));
  parser.on('text', (text) => reader.text(text));
  parser.on('cdata', (text) => reader.text(text));
  parser.on('closetag', () => reader.close());
  const decoder = new TextDecoder();
  for (let at = 0; at < bytes.length && !reader.done; at += CHUNK)
    parser.write(decoder.decode(bytes.slice(at, at + CHUNK), { stream: true }));
  if (!reader.done) parser.close();
  return reader.refused === undefined ? collector.result('cyclonedx') : { refused: reader.refused };
}

interface Open {
  readonly name: string;
  readonly members: Members;
  text: string;
}

/** Builds components from events and hands each outermost one on, until something fails. */
function createReader(collector: SbomCollector) {
  const path: Open[] = [];
  let parts = 0;
  let root: string | undefined;
  let failed = false;
  let refused: string | undefined;

  const insideComponent = () => path.some(({ name }) => name === 'component');

  function fail(problem: string): void {
    if (root === undefined) refuse(problem);
    else if (!failed) collector.problem(problem);
    failed = true;
  }

  function refuse(why: string): void {
    refused ??= why;
    failed = true;
  }

  function hand(component: Members): void {
    parts = 0;
    const subject = path.at(-1)?.name === 'metadata';
    for (const item of itemsOfComponent(component, collector, subject)) collector.add(item);
  }

  return {
    fail,
    refuse,
    /** Why nothing of it counts. */
    get refused() {
      return refused;
    },
    /** True when the rest does not matter. */
    get done() {
      return failed;
    },
    open(qualified: string, attributes: Readonly<Record<string, string>>): void {
      const name = localName(qualified);
      if (root === undefined) {
        const known = name === 'bom' && Object.values(attributes).some((value) => NAMESPACE.test(value));
        if (!known) refuse(`its first element is <${qualified.slice(0, 100)}>, not the <bom> of CycloneDX 1`);
        root = name;
      }
      if (failed) return;
      if (path.length >= DEEPEST) return fail(`its elements are nested deeper than ${DEEPEST}`);
      if (insideComponent()) parts += 1;
      if (parts > MOST_PARTS) return fail(`a component has more than ${MOST_PARTS} parts`);
      const members: Members = Object.create(null) as Members;
      for (const [key, value] of Object.entries(attributes)) members[localName(key)] = value;
      path.push({ name, members, text: '' });
    },
    text(text: string): void {
      const current = path.at(-1);
      if (current && insideComponent() && current.text.length < LONGEST_TEXT)
        current.text += text.slice(0, LONGEST_TEXT);
    },
    close(): void {
      const closed = failed ? undefined : path.pop();
      const parent = path.at(-1);
      if (!closed || !parent) return;
      if (insideComponent()) place(parent, closed);
      else if (closed.name === 'component') hand(closed.members);
    },
  };
}

/** Lists of the JSON form are elements around elements in XML; what they are made of is called there by the single. */
const LISTS: ReadonlyMap<string, string> = new Map([
  ['component', 'components'],
  ['license', 'licenses'],
  ['expression', 'licenses'],
  ['occurrence', 'occurrences'],
  ['property', 'properties'],
]);

function place(parent: Open, closed: Open): void {
  const value = valueOf(closed);
  const list = LISTS.get(closed.name);
  if (list === undefined || parent.name !== list) {
    parent.members[closed.name] ??= value;
    return;
  }
  const items = (parent.members['items'] ??= []) as unknown[];
  items.push(closed.name === 'license' || closed.name === 'expression' ? { [closed.name]: value } : value);
}

/** A list, an object, or the text of an element without parts; a property's value is its text. */
function valueOf({ name, members, text }: Open): unknown {
  if ([...LISTS.values()].includes(name)) return members['items'] ?? [];
  if (name === 'property') return { ...members, value: text };
  return Object.keys(members).length === 0 ? text : members;
}

function localName(qualified: string): string {
  return qualified.slice(qualified.indexOf(':') + 1);
}
