/**
 * Groups of artifacts whose archives carry neither `pom.properties` nor a true sign of their group, because they are not
 * built with Maven. By the names their makers publish in Maven Central. A name ending in `-` or `.` stands for all that
 * begin so; the first that fits counts.
 */
const GROUPS: readonly (readonly [group: string, artifacts: readonly string[]])[] = [
  [
    'org.springframework',
    'aop aspects beans context context-indexer context-support core core-test expression instrument jcl jdbc jms messaging orm oxm r2dbc test tx web webflux webmvc webmvc-portlet websocket'
      .split(' ')
      .map((module) => `spring-${module}`),
  ],
  ['org.springframework.boot', ['spring-boot', 'spring-boot-']],
  ['org.springframework.security', ['spring-security-']],
  ['org.springframework.security.oauth', ['spring-security-oauth', 'spring-security-oauth2']],
  ['org.springframework.data', ['spring-data-']],
  ['org.springframework.cloud', ['spring-cloud-']],
  ['org.springframework.batch', ['spring-batch-']],
  ['org.springframework.integration', ['spring-integration-']],
  ['org.springframework.session', ['spring-session-']],
  ['org.springframework.ws', ['spring-ws-', 'spring-xml']],
  ['org.springframework.kafka', ['spring-kafka', 'spring-kafka-']],
  ['org.springframework.amqp', ['spring-amqp', 'spring-rabbit', 'spring-rabbit-']],
  ['org.springframework.hateoas', ['spring-hateoas']],
  ['org.springframework.ldap', ['spring-ldap-']],
  ['org.springframework.vault', ['spring-vault-']],
  ['org.springframework.webflow', ['spring-webflow', 'spring-binding', 'spring-js']],
  ['org.springframework.graphql', ['spring-graphql', 'spring-graphql-']],
  ['org.jetbrains.kotlin', ['kotlin-']],
  ['org.jetbrains.kotlinx', ['kotlinx-']],
  ['org.bouncycastle', ['bcprov-', 'bcpkix-', 'bcmail-', 'bcpg-', 'bctls-', 'bcutil-', 'bc-fips', 'bcjmail-']],
  ['org.apache.kafka', ['kafka-', 'kafka_2.', 'connect-api', 'connect-runtime', 'connect-json', 'connect-transforms']],
  ['org.apache.lucene', ['lucene-']],
  ['org.apache.solr', ['solr-core', 'solr-solrj']],
  ['org.apache.tomcat.embed', ['core', 'el', 'jasper', 'websocket'].map((module) => `tomcat-embed-${module}`)],
  ['org.apache.tomcat', ['tomcat-']],
  ['org.apache.ant', ['ant', 'ant-']],
  ['org.apache.derby', ['derby', 'derbyclient', 'derbynet', 'derbyshared', 'derbytools']],
  ['org.elasticsearch', ['elasticsearch', 'elasticsearch-']],
  ['org.opensearch', ['opensearch', 'opensearch-']],
  ['org.hsqldb', ['hsqldb']],
  ['com.h2database', ['h2']],
  ['com.squareup.okhttp3', ['okhttp', 'okhttp-', 'logging-interceptor']],
  ['com.squareup.okio', ['okio', 'okio-jvm']],
  ['com.squareup.retrofit2', ['retrofit']],
  ['com.graphql-java', ['graphql-java']],
  ['com.nimbusds', ['nimbus-jose-jwt', 'oauth2-oidc-sdk']],
  ['io.micrometer', ['micrometer-']],
  ['io.projectreactor.netty', ['reactor-netty', 'reactor-netty-']],
  ['io.projectreactor', ['reactor-core', 'reactor-test']],
  ['io.reactivex.rxjava2', ['rxjava2']],
  ['mysql', ['mysql-connector-java']],
  ['com.mysql', ['mysql-connector-j']],
  ['oro', ['oro']],
  ['asm', ['asm', 'asm-all']],
  ['xerces', ['xercesImpl']],
  ['xalan', ['xalan', 'serializer']],
  ['xml-apis', ['xml-apis']],
  ['axis', ['axis']],
];

/** The first artifacts of Apache Commons have groups of their own name. */
const COMMONS =
  'beanutils chain cli codec collections configuration dbcp digester discovery el fileupload httpclient io jexl jxpath lang logging net pool validator'
    .split(' ')
    .map((module) => `commons-${module}`);

const isPrefix = (name: string) => name.endsWith('-') || name.endsWith('.');
const EXACT: ReadonlyMap<string, string> = new Map([
  ...GROUPS.flatMap(([group, names]) => names.filter((name) => !isPrefix(name)).map((name) => [name, group] as const)),
  ...COMMONS.map((name) => [name, name] as const),
]);
const PREFIXES = GROUPS.flatMap(([group, names]) => names.filter(isPrefix).map((prefix) => ({ prefix, group })));

/** The group under which an artifact is published, if it is one of the well-known ones. */
export function knownGroupOf(artifact: string): string | undefined {
  return EXACT.get(artifact);
}

/** The group of the family an artifact belongs to by its name; others use such names as well, so a manifest tells better. */
export function likelyGroupOf(artifact: string): string | undefined {
  return PREFIXES.find(({ prefix }) => artifact.startsWith(prefix))?.group;
}
