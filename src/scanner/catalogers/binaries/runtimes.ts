/** How one runtime is known by its executable: the file has this name and holds this text, both. */
export interface Runtime {
  /** Name in Bitnami's vulnerability database, else the upstream's own in lower case. */
  readonly name: string;
  /** Last part of the path. A group in it is put in for `SERIES` in the text. */
  readonly file: RegExp;
  /**
   * What is found in the data of the file, its bytes as Latin-1; the first group is the version. A text ends with a zero, but
   * need not begin after one: linkers let it lie at the end of a longer one.
   */
  readonly text: string;
  /** It also names older versions of its interface: the highest is its own. Elsewhere several versions are a problem. */
  readonly highest?: true;
}

/**
 * Redis and Valkey: version, name of the machine (containers: twelve digits), seconds since 1970, changes (one digit),
 * commit. Lists of commands name every version there was, so a version alone says nothing. Read from its end, which takes
 * steady time for whatever stands before.
 */
const BUILD_OF_REDIS =
  '[0-9a-f]\\0(?<=(?<![\\d.])([2-9]\\.\\d{1,3}\\.\\d{1,3})(?:[0-9a-f]{12}-|[A-Za-z][\\w.-]{0,63}-)?1\\d{10}[0-9a-f]{8}\\0)';

/**
 * Runtimes that images bring without a package. Texts are what upstream's sources compile in; programs written in Go
 * (etcd, traefik, vault) are not here, they name their modules and versions themselves.
 */
export const RUNTIMES: readonly Runtime[] = [
  { name: 'node', file: /^(?:node|nodejs|node\.exe|libnode\.so[.\d]*)$/, text: 'node\\.js/v(\\d+\\.\\d+\\.\\d+)\\b' },
  {
    name: 'python',
    file: /^(?:lib)?python(\d\.\d{1,2})(?:[dmtu]{0,3})(?:\.so[.\d]*|\.dylib)?$/,
    text: '(?<![\\d.])(SERIES\\.\\d+(?:(?:a|b|rc)\\d+)?)\\+?\\0',
  },
  { name: 'nginx', file: /^nginx(?:-debug)?$/, text: 'nginx version: nginx/(\\d+\\.\\d+\\.\\d+)\\b' },
  { name: 'openresty', file: /^(?:nginx|openresty)$/, text: 'nginx version: openresty/(\\d+(?:\\.\\d+){3})\\b' },
  {
    name: 'redis',
    file: /^redis-(?:server|sentinel|check-rdb|check-aof)$/,
    text: BUILD_OF_REDIS,
  },
  {
    name: 'valkey',
    file: /^valkey-(?:server|sentinel|check-rdb|check-aof)$/,
    text: BUILD_OF_REDIS,
  },
  {
    name: 'postgresql',
    file: /^postgres$/,
    text: 'postgres \\(PostgreSQL\\) (\\d+(?:\\.\\d+){0,2}(?:(?:beta|rc)\\d+|devel)?)',
  },
  { name: 'mariadb', file: /^(?:mariadbd|mysqld)$/, text: '\\0(\\d+\\.\\d+\\.\\d+)-MariaDB' },
  { name: 'mysql', file: /^mysqld$/, text: '\\0MySQL (\\d+\\.\\d+\\.\\d+)\\0' },
  { name: 'apache', file: /^(?:httpd|apache2)$/, text: '(?<!\\w)Apache/(\\d+\\.\\d+\\.\\d+)\\b' },
  { name: 'memcached', file: /^memcached$/, text: '(?<!\\w)memcached (\\d+\\.\\d+\\.\\d+)\\b' },
  {
    name: 'haproxy',
    file: /^haproxy$/,
    text: '\\0([1-9]\\.\\d{1,2}(?:\\.\\d{1,3}|-dev\\d+))(?:-[0-9A-Za-z.+~-]{1,64})?\\0',
  },
  {
    name: 'php',
    file: /^(?:php[\d.]*|php-cgi[\d.]*|php-fpm[\d.]*|phpdbg[\d.]*|libphp[\d.]*\.so)$/,
    text: 'X-Powered-By: PHP/(\\d+\\.\\d+\\.\\d+(?:(?:alpha|beta|RC)\\d+)?)',
  },
  { name: 'perl', file: /^(?:perl[\d.]*|libperl\.so[.\d]*)$/, text: '(?<!\\w)v(5\\.\\d+\\.\\d+)\\0', highest: true },
  {
    name: 'ruby',
    file: /^(?:ruby[\d.]*|libruby[-\d.]*\.so[.\d]*)$/,
    text: '(?<!\\w)ruby (\\d+\\.\\d+\\.\\d+)(?:p\\d{1,4}|[a-z]{1,8}\\d{0,4})? \\(\\d{4}-\\d\\d-\\d\\d ',
  },
  {
    name: 'rust',
    file: /^librustc_driver-[0-9a-f]+\.so$/,
    text: '(?<!\\d)(\\d\\.\\d{1,3}\\.\\d{1,3}(?:-[a-z]{1,16}(?:\\.\\d{1,3})?)?) \\([0-9a-f]{9} \\d{4}-\\d\\d-\\d\\d\\)',
  },
  { name: 'varnish', file: /^varnishd$/, text: '(?<!\\w)varnish-(\\d+\\.\\d+\\.\\d+) revision ' },
  { name: 'pgbouncer', file: /^pgbouncer$/, text: '(?<!\\w)PgBouncer (\\d+\\.\\d+\\.\\d+)\\b' },
  { name: 'openldap', file: /^slapd$/, text: '\\$OpenLDAP: slapd (\\d+\\.\\d+\\.\\d+)\\b' },
  { name: 'git', file: /^git$/, text: '(?<!\\w)git/(\\d+\\.\\d+\\.\\d+(?:\\.\\d+)?)\\0' },
  {
    name: 'lua',
    file: /^(?:lua[\d.]*|luac[\d.]*|liblua[-\d.]*\.so[.\d]*)$/,
    text: '\\$LuaVersion: Lua (\\d+\\.\\d+\\.\\d+) ',
  },
  { name: 'sqlite', file: /^(?:sqlite3|libsqlite3\.so[.\d]*)$/, text: '(?<![\\d.])(3\\.\\d{1,2}\\.\\d{1,2})\\0' },
];
