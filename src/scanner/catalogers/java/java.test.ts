import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewOf } from '../../file-view.ts';
import { makeZip, type ZipItem } from '../../zip/make-zip.testing.ts';
import { readArchive } from './archive.ts';
import { javaCataloger } from './cataloger.ts';
import { readFileName } from './file-name.ts';
import { parseManifest } from './manifest.ts';
import { parsePomProperties } from './pom-properties.ts';

const MB = 1024 * 1024;

const pom = (group: string, artifact: string, version: string): ZipItem => ({
  name: `META-INF/maven/${group}/${artifact}/pom.properties`,
  content: `#Generated\n#Mon\ngroupId=${group}\nartifactId=${artifact}\nversion=${version}\n`,
});
const manifest = (attributes: object): ZipItem => ({
  name: 'META-INF/MANIFEST.MF',
  content: `Manifest-Version: 1.0\r\n${Object.entries(attributes)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`,
});
const classes = (...folders: readonly string[]): ZipItem[] => folders.map((folder) => ({ name: `${folder}/A.class` }));

function read(name: string, items: readonly ZipItem[]) {
  const { packages, problems = [] } = readArchive(name, viewOf(makeZip(items)));
  return {
    packages: packages.map((pkg) =>
      [pkg.name, pkg.version, ...(pkg.inside === undefined ? [] : [pkg.inside])].join(' '),
    ),
    problems,
  };
}

describe('javaCataloger', () => {
  it.each([
    ['app/a.jar', true],
    ['app/A.WAR', true],
    ['jenkins/plugins/git.jpi', true],
    ['app/a.jar.original', false],
    ['app/a.zip', false],
    ['app/jar', false],
  ])('wants %s: %s', (path, wanted) => {
    expect(javaCataloger.wants(path)).toBe(wanted);
  });

  it('passes over an empty file', () => {
    expect(javaCataloger.catalog('a.jar', viewOf(Buffer.alloc(0)))).toEqual({ packages: [] });
  });
});

describe('readArchive', () => {
  it('takes the pom.properties that fits the name for the archive, the others for shaded', () => {
    const items = [pom('com.google.guava', 'guava', '31.1-jre'), pom('org.x', 'app', '1.0')];
    expect(read('app-1.0.jar', items).packages).toEqual([
      'org.x:app 1.0',
      'com.google.guava:guava 31.1-jre META-INF/maven/com.google.guava/guava/pom.properties',
    ]);
  });

  it.each([
    ['renamed', 'server.jar', [pom('org.x', 'app', '1.0')], ['org.x:app 1.0']],
    [
      'renamed, by its manifest',
      'server.jar',
      [
        pom('a', 'b', '2'),
        pom('org.x', 'app', '1.0'),
        manifest({ 'Implementation-Title': 'app', 'Implementation-Version': '1.0' }),
      ],
      ['org.x:app 1.0', 'a:b 2 META-INF/maven/a/b/pom.properties'],
    ],
    ['with a group in its name', 'org.x.app-1.0.jar', [pom('org.x', 'app', '1.0')], ['org.x:app 1.0']],
    ['with a classifier', 'app-1.0-linux-x86_64.jar', [pom('org.x', 'app', '1.0')], ['org.x:app 1.0']],
    [
      'that is another one than its only part',
      'app-1.0.jar',
      [pom('org.x', 'part', '2.0')],
      ['app:app 1.0', 'org.x:part 2.0 META-INF/maven/org.x/part/pom.properties'],
    ],
    [
      'with the same part twice',
      'x.jar',
      [pom('a', 'b', '1'), { ...pom('a', 'b', '1'), name: 'other/pom.properties' }, pom('a', 'c', '1')],
      ['a:b 1 META-INF/maven/a/b/pom.properties', 'a:c 1 META-INF/maven/a/c/pom.properties'],
    ],
    ['with nothing', 'x.jar', [], []],
  ])('reads an archive %s', (_what, name, items, packages) => {
    expect(read(name, items)).toEqual({ packages, problems: [] });
  });

  it.each([
    [
      'spring-web-5.3.26.jar',
      {
        'Implementation-Title': 'spring-web',
        'Implementation-Version': '5.3.26',
        'Automatic-Module-Name': 'spring.web',
      },
      [],
      'org.springframework:spring-web 5.3.26',
    ],
    [
      'elasticsearch-8.14.3.jar',
      { 'Implementation-Title': 'org.elasticsearch#server;8.14.3', 'Implementation-Version': '8.14.3' },
      [],
      'org.elasticsearch:elasticsearch 8.14.3',
    ],
    [
      'failureaccess-1.0.1.jar',
      { 'Bundle-SymbolicName': 'com.google.guava.failureaccess', 'Bundle-Version': '1.0.1' },
      [],
      'com.google.guava:failureaccess 1.0.1',
    ],
    [
      'jackson-core-2.15.0-rc2.jar',
      {
        'Bundle-SymbolicName': 'com.fasterxml.jackson.core.jackson-core;singleton:=true',
        'Bundle-Version': '2.15.0.rc2',
      },
      [],
      'com.fasterxml.jackson.core:jackson-core 2.15.0-rc2',
    ],
    [
      'catalina.jar',
      {
        'Implementation-Title': 'Apache Tomcat',
        'Implementation-Version': '9.0.50',
        'Bundle-SymbolicName': 'org.apache.tomcat-catalina',
      },
      [],
      'org.apache.tomcat:tomcat-catalina 9.0.50',
    ],
    [
      'checker-qual-2.8.1.jar',
      { 'Automatic-Module-Name': 'org.checkerframework.checker.qual', 'Implementation-Version': '2.8.1' },
      [],
      'org.checkerframework:checker-qual 2.8.1',
    ],
    [
      'velocity-1.5.jar',
      { 'Implementation-Vendor-Id': 'org.apache' },
      classes('org/apache/velocity', 'org/apache/velocity/app'),
      'org.apache.velocity:velocity 1.5',
    ],
    [
      'kafka-streams-3.7.0.jar',
      {},
      classes('org/apache/kafka/common', 'org/apache/kafka/clients'),
      'org.apache.kafka:kafka-streams 3.7.0',
    ],
    [
      'widget-beans-1.0.jar',
      {},
      classes('org/example/beans', 'org/example/beans/factory'),
      'org.example:widget-beans 1.0',
    ],
    [
      'kotlin-stdlib-1.6.0.jar',
      { 'Implementation-Title': 'kotlin-stdlib', 'Implementation-Version': '1.6.0-release-798(1.6.0)' },
      [],
      'org.jetbrains.kotlin:kotlin-stdlib 1.6.0',
    ],
    [
      'git.jpi',
      { 'Group-Id': 'org.jenkins-ci.plugins', 'Short-Name': 'git', 'Plugin-Version': '4.11.0' },
      [],
      'org.jenkins-ci.plugins:git 4.11.0',
    ],
    ['log4j-1.2-api-2.17.1.jar', {}, [], 'log4j-1.2-api:log4j-1.2-api 2.17.1'],
    [
      'rt.jar',
      { 'Implementation-Title': 'Java Runtime Environment', 'Implementation-Version': '1.8.0_292' },
      [],
      undefined,
    ],
    ['app.jar', { 'Implementation-Title': 'demo', 'Implementation-Version': '0.0.1' }, [], undefined],
    ['axis.jar', { Name: 'org/apache/axis', 'Implementation-Version': '1.4 1855 April 22 2006' }, [], 'axis:axis 1.4'],
    [
      'plugin.jar',
      {
        'Implementation-Title': '%pluginName',
        'Implementation-Version': '${version}',
        'Bundle-SymbolicName': 'no spaces allowed',
      },
      [],
      undefined,
    ],
  ])('knows %s without pom.properties', (name, attributes, items, expected) => {
    expect(read(name, [manifest(attributes), ...items])).toEqual({
      packages: expected ? [expected] : [],
      problems: [],
    });
  });

  it.each([true, false])('opens archives in archives, stored: %s', (stored) => {
    const library = makeZip([pom('org.x', 'library', '1')]);
    const war = makeZip([{ name: 'WEB-INF/lib/library-1.jar', content: library, stored }]);
    expect(read('app.ear', [{ name: 'web.war', content: war, stored }])).toEqual({
      packages: ['org.x:library 1 web.war!/WEB-INF/lib/library-1.jar'],
      problems: [],
    });
  });

  it('reads an archive with a launcher before it', () => {
    const bytes = makeZip([pom('org.x', 'app', '1')], { before: Buffer.from('#!/bin/bash\nexec java -jar "$0"\n') });
    expect(readArchive('app.jar', viewOf(bytes)).packages).toHaveLength(1);
  });

  it.each([
    ['"Apache-2.0";link="https://x"', 'Apache-2.0'],
    ['https://x/LICENSE', undefined],
  ])('takes a licence that is no address: %s', (text, licence) => {
    const archive = makeZip([manifest({ 'Bundle-License': text })]);
    expect(readArchive('a-1.jar', viewOf(archive)).packages[0]?.licence).toBe(licence);
  });
});

describe('readArchive on hostile files', () => {
  const nested = (depth: number, stored: boolean): Buffer =>
    depth === 0
      ? makeZip([pom('org.x', 'deep', '1')])
      : makeZip([{ name: 'a.jar', content: nested(depth - 1, stored), stored }]);

  it.each([true, false])('stops at a depth and says so, stored: %s', (stored) => {
    expect(readArchive('a.jar', viewOf(nested(16, stored))).packages).toHaveLength(1);
    const deeper = readArchive('a.jar', viewOf(nested(17, stored)));
    expect([deeper.packages, deeper.problems?.length]).toEqual([[], 1]);
    expect(deeper.problems?.[0]).toMatch(/nested deeper than 16$/);
  });

  it('bounds what is unpacked in all, at every depth together', () => {
    const big = makeZip([{ name: 'META-INF/MANIFEST.MF', content: Buffer.alloc(MB, 'a: b\n') }]);
    const middle = makeZip(Array.from({ length: 10 }, (_, at) => ({ name: `${at}.jar`, content: big, stored: true })));
    const bomb = makeZip([0, 1, 2].map((at) => ({ name: `${at}.jar`, content: middle })));
    expect(readArchive('bomb.jar', viewOf(bomb)).problems).toBeUndefined();
    const { problems = [] } = readArchive('bomb.jar', viewOf(bomb), 15 * MB);
    expect(problems.some((line) => line.includes('the archive holds more bytes than are read'))).toBe(true);
    expect(problems.length).toBeLessThanOrEqual(50);
  });

  it.each([
    [
      'a manifest of 1 GB',
      [{ name: 'META-INF/MANIFEST.MF', content: 'a', lie: { size: 2 ** 30 } }],
      /MANIFEST.MF has 1073741824 bytes/,
    ],
    ['a pom.properties too long', [{ ...pom('a', 'b', '1'), lie: { size: 100_000 } }], /has 100000 bytes/],
    ['an archive inside that is none', [{ name: 'lib/a.jar', content: 'no' }], /^lib\/a.jar: it is no zip archive/],
    [
      'an archive inside larger than memory',
      [{ name: 'lib/a.jar', content: 'no', lie: { size: 2 ** 28 } }],
      /a.jar has 268435456 bytes/,
    ],
  ])('finds a problem in %s', (_what, items, problem) => {
    expect(read('x.jar', [pom('org.x', 'app', '1'), ...items]).problems).toEqual([expect.stringMatching(problem)]);
  });

  it('never throws for changed archives', () => {
    const original = makeZip([
      manifest({ 'Implementation-Title': 'app', 'Bundle-SymbolicName': 'org.x.app' }),
      pom('org.x', 'app', '1.0'),
      { name: 'lib/b-2.jar', content: makeZip([pom('a', 'b', '2')]), stored: true },
    ]);
    const where = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(where, fc.nat(255)), { maxLength: 10 }), (changes) => {
        const bytes = Buffer.from(original);
        for (const [at, value] of changes) bytes[Math.floor(at * bytes.length)] = value;
        readArchive('app-1.0.jar', viewOf(bytes));
      }),
    );
  });
});

describe('readFileName', () => {
  it.each([
    ['commons-lang3-3.12.0', 'commons-lang3', '3.12.0'],
    ['guava-31.1-jre', 'guava', '31.1-jre'],
    ['kafka_2.13-2.8.0', 'kafka_2.13', '2.8.0'],
    ['log4j-1.2-api-2.17.1', 'log4j-1.2-api', '2.17.1'],
    ['jboss-logging-3.4.1.Final-redhat-00001', 'jboss-logging', '3.4.1.Final-redhat-00001'],
    ['app-1.0-20210101.123456-1', 'app', '1.0-20210101.123456-1'],
    ['bcprov-jdk15on-1.70', 'bcprov-jdk15on', '1.70'],
    ['netty-tcnative-2.0.1.Final-linux-x86_64', 'netty-tcnative', '2.0.1.Final-linux-x86_64'],
    ['jackson-core-2.0-rc-2.1', 'jackson-core', '2.0-rc-2.1'],
  ])('%s', (stem, artifact, version) => {
    expect(readFileName(stem)).toEqual({ artifact, version });
  });

  it.each(['app', 'spring-web', '1.0', '-1.0', 'a b-1.0', 'app-${version}', ''])('no version in %j', (stem) => {
    expect(readFileName(stem)).toBeUndefined();
  });
});

describe('parseManifest', () => {
  it('reads the main section alone, with lines that go on', () => {
    const text =
      'Manifest-Version: 1.0\r\nA: one\r\n  two\r\nno attribute\r\n left\r\nEmpty:\r\n\r\nName: x\r\nB: 2\r\n';
    expect(Object.fromEntries(parseManifest(Buffer.from(text)))).toEqual({
      'manifest-version': '1.0',
      a: 'one two',
      empty: '',
    });
  });

  it.each(['\r', '\n', '\r\n'])('takes line ends %j', (end) => {
    expect(parseManifest(Buffer.from(`A: 1${end}B: 2${end}`)).get('b')).toBe('2');
  });

  it('bounds values', () => {
    const long = parseManifest(Buffer.from(`A: ${'x'.repeat(10)}\n${` ${'y'.repeat(60)}\n`.repeat(20_000)}`));
    expect(long.get('a')?.length).toBeLessThan(5000);
  });
});

describe('parsePomProperties', () => {
  it.each([
    ['version=1.0\ngroupId=g\nartifactId=a', { group: 'g', artifact: 'a', version: '1.0' }],
    ['version = 1.0 \r\ngroupId: g\r\nartifactId\ta', { group: 'g', artifact: 'a', version: '1.0' }],
    ['artifactId=a\nversion=1', undefined],
    ['version=${project.version}\ngroupId=g\nartifactId=a', undefined],
    ['version=1 2\ngroupId=g\nartifactId=a', undefined],
    ['version=1\ngroupId=g/h\nartifactId=a', undefined],
    ['', undefined],
  ])('%j', (text, expected) => {
    expect(parsePomProperties(text)).toEqual(expected);
  });
});
