import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvidenceDocument } from '../../../src/evidence/document.ts';
import { isLeftOut } from '../../support/peers.ts';
import { ended, holds, matches, yes } from '../check.ts';
import { dayAfter, OFFICER, type Stage } from '../stage.ts';
import { say } from '../terminal.ts';

/** What only a cluster fills. */
const OF_CLUSTERS: ReadonlySet<string> = new Set(['clusters', 'runningImages', 'violations', 'trustedSources']);
const TRUSTED = isLeftOut('kubernetes') ? [] : ['harbor.cksc.a1ck.io'];

/** One file for the auditor, whole and checkable: whatever is changed or taken out of it is found. */
export async function exportEvidence(stage: Stage): Promise<void> {
  const file = join(stage.folder, 'evidence.json');
  const period = ['--from', dayAfter(-1), '--to', dayAfter(0)];
  const written = await stage.breakwater(OFFICER, ['evidence', 'export', ...period, '--out', file]);
  ended(written, 0, 'evidence is exported');
  const page = join(stage.folder, 'evidence.html');
  const asPage = ['evidence', 'export', ...period, '--format', 'html', '--out', page];
  ended(await stage.breakwater(OFFICER, asPage), 0, 'and the same as a page');

  const text = await readFile(file, 'utf8');
  const document = JSON.parse(text) as EvidenceDocument;
  tellsTheJourney(document, text);
  const html = await readFile(page, 'utf8');
  for (const part of ['CVE-2021-36159', 'front/alpine', ...TRUSTED, 'alice'])
    holds(html, part, `the page tells of ${part}`);

  for (const one of [file, page]) {
    const checked = await stage.breakwater(OFFICER, ['evidence', 'verify', one]);
    ended(checked, 0, 'nothing is wrong with it');
    holds(checked.stdout, 'Intact', 'and it says so');
  }
  await findsTampering(stage, document);
}

/** What happened in the steps before is in it. */
function tellsTheJourney({ sections }: EvidenceDocument, text: string): void {
  for (const [name, lines] of Object.entries(sections)) {
    say(`${name}: ${lines.length} lines`);
    if (!(isLeftOut('kubernetes') && OF_CLUSTERS.has(name))) yes(lines.length > 0, `${name} is not empty`);
  }
  for (const part of ['exception.grant', ...TRUSTED, 'front/alpine', 'alice', OFFICER.user, 'alpine-secdb'])
    holds(text, part, `it tells of ${part}`);
}

async function findsTampering(stage: Stage, document: EvidenceDocument): Promise<void> {
  const { ledger } = document.sections;
  yes(ledger.length > 10, 'the audit log has lines to tamper with');
  const somewhere = Math.floor(ledger.length / 2);
  const withLedger = (lines: unknown) => ({ ...document, sections: { ...document.sections, ledger: lines } });
  const attempts: readonly (readonly [what: string, value: object])[] = [
    ['a line of the audit log is taken out', withLedger(ledger.toSpliced(somewhere, 1))],
    [
      'a line says somebody else',
      withLedger(ledger.with(somewhere, { ...ledger[somewhere], actor: 'mallory' } as never)),
    ],
    ['the last line is taken out', withLedger(ledger.slice(0, -1))],
    [
      'a verdict is taken out',
      { ...document, sections: { ...document.sections, verdictChanges: document.sections.verdictChanges.slice(1) } },
    ],
  ];
  for (const [what, value] of attempts) {
    say(what);
    const file = join(stage.folder, 'tampered.json');
    await writeFile(file, JSON.stringify(value));
    const found = await stage.breakwater(OFFICER, ['evidence', 'verify', file], { lines: 12 });
    ended(found, 1, 'it is found');
    matches(found.stdout, /^BROKEN: /m, 'and said');
  }
}
