import { type EvidenceDocument, evidenceToJson } from './document.ts';
import { embedJson } from './embedded.ts';
import { SECTION_TITLES } from './finding.ts';
import { TABLES, type Table } from './html-tables.ts';
import { CONTENT_POLICY, type Html, html, lines } from './html-text.ts';
import type { Line, SectionName } from './lines.ts';
import { summarise } from './summary.ts';

/** Sections in the order an auditor reads them. */
const READING_ORDER = Object.keys(TABLES) as readonly SectionName[];

const STYLE = `
:root { color-scheme: light; font: 14px/1.45 system-ui, sans-serif; color: #1b1f24; background: #fff; }
body { max-width: 120rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .25rem; }
p { margin: .25rem 0; } .about { color: #57606a; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .75rem; margin: 1rem 0; padding: 0; list-style: none; }
.figures li { border: 1px solid #d0d7de; border-radius: 6px; padding: .6rem .8rem; } .figures b { display: block; font-size: 1.3rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #d0d7de; padding: .3rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
td { white-space: pre-line; } th { background: #f6f8fa; overflow-wrap: normal; } code { font: 12px/1.4 ui-monospace, monospace; word-break: break-all; }
.block { color: #a40e26; } .warn { color: #7d4e00; } .allow { color: #116329; }
nav a { margin-right: .8rem; white-space: nowrap; }
@media print { body { padding: 0; max-width: none; font-size: 9px; } nav { display: none; } thead { display: table-header-group; } tr { break-inside: avoid; } .wide { overflow: visible; } a { color: inherit; text-decoration: none; } }
`.trim();

/**
 * The document as one readable page that needs nothing else, with the document itself in it as JSON. Depends on the document
 * alone: `verifyEvidence` renders it again and compares.
 */
export function renderEvidenceHtml(document: EvidenceDocument): string {
  const { installation, period } = document;
  const title = `Evidence: ${installation.name}, ${period.from} to ${period.to}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${{ html: CONTENT_POLICY }}">
<meta name="generator" content="${installation.software}">
<title>${title}</title>
<style>
${{ html: STYLE }}
</style>
</head>
<body>
<header>
<h1>Vulnerability management evidence</h1>
${facts(document)}
</header>
<main>
${summary(document)}
<nav>${READING_ORDER.map((name) => html`<a href="#${name}">${SECTION_TITLES[name]}</a>`)}</nav>
${lines(READING_ORDER.map((name) => section(name, document.sections[name])))}
</main>
${{ html: embedJson(evidenceToJson(document)) }}
</body>
</html>
`;
  return page.html;
}

function facts({ installation, period, exportedAt, chain, seals, advisories }: EvidenceDocument): Html {
  const hosts = installation.hosts.length === 0 ? '' : ` (${installation.hosts.join(', ')})`;
  const checked =
    chain.checked.fault === undefined
      ? `all ${chain.checked.lines} lines fitted the chain at the time of export`
      : `LINE ${chain.checked.fault} DID NOT FIT THE CHAIN at the time of export`;
  return lines([
    html`<p>Installation <b>${installation.name}</b>${hosts}, ${installation.software}</p>`,
    html`<p>Period from <b>${period.from}</b> to <b>${period.to}</b> (exclusive), exported ${exportedAt}</p>`,
    advisories
      ? html`<p>Advisory database built ${advisories.builtAt}, <code>${advisories.version}</code></p>`
      : html`<p class="block">No advisory database was installed.</p>`,
    html`<p>Audit log: newest line ${chain.head.seq}, <code>${chain.head.hash}</code>; ${checked}</p>`,
    html`<p>Digest of this document <code>${seals.document}</code>; check it with <code>breakwater evidence verify FILE</code></p>`,
  ]);
}

function summary(document: EvidenceDocument): Html {
  const { stored, verdicts, running, changes, exceptions, trust, advisories, ledgerLines } = summarise(document);
  const figures: readonly (readonly [number, string])[] = [
    [
      stored.manifests,
      `stored manifests under ${stored.tags} tags in ${stored.repositories} repositories of ${stored.projects} projects`,
    ],
    [
      verdicts.block,
      `of them blocked; ${verdicts.warn} with a warning, ${verdicts.allow} allowed, ${verdicts.none} not judged`,
    ],
    [running.images, `images running in ${running.clusters} clusters`],
    [
      running.untrusted,
      `of them not from a trusted source; ${running.blocked} blocked; ${running.violations} violations of constraints`,
    ],
    [changes.all, `verdicts changed in the period, ${changes.toBlock} of them to blocked`],
    [exceptions.inForce, `exceptions in force, of ${exceptions.listed} that concern the period`],
    [trust.reviewDue, `trusted sources due for review, of ${trust.approved} approved`],
    [
      advisories.samples,
      `of ${advisories.sources} advisory sources are samples; ${advisories.databases} databases used in the period`,
    ],
    [ledgerLines, 'lines of the audit log in the period'],
  ];
  return lines([
    html`<h2>Summary</h2>`,
    html`<ul class="figures">`,
    ...figures.map(([figure, text]) => html`<li><b>${figure}</b> ${text}</li>`),
    html`</ul>`,
    html`<p>This document supports ISO/IEC 27001:2013 A.12.6.1 and ISO/IEC 27001:2022 A.8.8, management of technical vulnerabilities:</p>`,
    html`<table><thead><tr><th>What the control asks for</th><th>Where to look</th></tr></thead><tbody>`,
    ...CONTROL.map(
      ([asked, names]) =>
        html`<tr><td>${asked}</td><td>${names.map((name) => html`<a href="#${name}">${SECTION_TITLES[name]}</a> `)}</td></tr>`,
    ),
    html`</tbody></table>`,
  ]);
}

/** The parts of the control in our words, and the sections that speak about them. */
const CONTROL: readonly (readonly [string, readonly SectionName[]])[] = [
  ['Know what is in use: an inventory of software assets', ['manifests', 'repositories', 'clusters', 'runningImages']],
  ['Get information about vulnerabilities in time, from named sources', ['advisorySources', 'advisoryVersions']],
  ['Evaluate the exposure and act within a set time', ['policies', 'policyVersions', 'verdictChanges']],
  ['Keep software from sources that were not assessed out', ['trustedSources', 'violations']],
  ['Decide on what cannot be fixed, with reason, end date and a responsible person', ['exceptions']],
  ['Have roles and responsibilities, and a log of what was done', ['users', 'projects', 'ledger']],
];

function section<Name extends SectionName>(name: Name, content: readonly Line<Name>[]): Html {
  const table: Table<Name> = TABLES[name];
  const title = html`<section id="${name}"><h2>${capital(SECTION_TITLES[name])} (${content.length})</h2>`;
  const about = html`<p class="about">${table.about}</p>`;
  if (content.length === 0) return lines([title, about, html`<p>None.</p></section>`]);
  return lines([
    title,
    about,
    html`<div class="wide"><table><thead><tr>${table.columns.map((column) => html`<th>${column}</th>`)}</tr></thead><tbody>`,
    ...content.map((line) => html`<tr>${table.row(line).map((cell) => html`<td>${cell}</td>`)}</tr>`),
    html`</tbody></table></div></section>`,
  ]);
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
