# A Java application: libraries of old versions beside each other, and a fat archive that holds some of them. Needs Maven, Java and Python.
# copy FOLDER ARTIFACT...: takes the archives of artifacts, none of what they depend on.
copy() {
  local target=$1 artifact group name version
  shift
  mkdir -p "$target"
  printf '%s\n' "$@" >>coordinates
  {
    echo '<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies>'
    for artifact in "$@"; do
      IFS=: read -r group name version <<<"$artifact"
      echo "<dependency><groupId>$group</groupId><artifactId>$name</artifactId><version>$version</version></dependency>"
    done
    echo '</dependencies></project>'
  } >pom.xml
  mvn -q -B dependency:copy-dependencies -DexcludeTransitive=true -DoutputDirectory="$target"
}

copy "$ROOTFS/opt/app/lib" \
  org.apache.logging.log4j:log4j-core:2.14.1 org.apache.logging.log4j:log4j-api:2.14.1 com.fasterxml.jackson.core:jackson-databind:2.9.8 \
  com.fasterxml.jackson.core:jackson-core:2.9.8 org.apache.tomcat.embed:tomcat-embed-core:9.0.30 org.apache.tomcat:tomcat-coyote:9.0.30 \
  org.springframework:spring-beans:5.2.0.RELEASE org.springframework:spring-web:5.2.0.RELEASE commons-collections:commons-collections:3.2.1 \
  commons-fileupload:commons-fileupload:1.3.1 commons-io:commons-io:2.4 org.apache.commons:commons-text:1.9 org.apache.commons:commons-compress:1.20 \
  io.netty:netty-codec-http:4.1.40.Final io.netty:netty-handler:4.1.40.Final org.eclipse.jetty:jetty-server:9.4.20.v20190813 \
  org.eclipse.jetty:jetty-http:9.4.20.v20190813 org.bouncycastle:bcprov-jdk15on:1.55 org.apache.struts:struts2-core:2.5.10 org.yaml:snakeyaml:1.26 \
  com.google.guava:guava:28.0-jre com.h2database:h2:1.4.199 org.postgresql:postgresql:42.2.5 mysql:mysql-connector-java:8.0.15
copy "$PWD/parts" \
  org.apache.logging.log4j:log4j-core:2.15.0 com.fasterxml.jackson.core:jackson-databind:2.10.0 org.springframework:spring-beans:5.3.17 \
  org.apache.tomcat.embed:tomcat-embed-core:9.0.58
mkdir -p "$ROOTFS/opt/app/boot"
python3 - "$ROOTFS/opt/app/boot/shop-1.4.0.jar" parts/*.jar <<'PY'
import os, sys, zipfile
target, *parts = sys.argv[1:]
with zipfile.ZipFile(target, 'w', zipfile.ZIP_DEFLATED) as jar:
    jar.writestr('META-INF/MANIFEST.MF', 'Manifest-Version: 1.0\r\nMain-Class: org.springframework.boot.loader.JarLauncher\r\nImplementation-Title: shop\r\nImplementation-Version: 1.4.0\r\n\r\n')
    jar.writestr('META-INF/maven/com.example/shop/pom.properties', 'groupId=com.example\nartifactId=shop\nversion=1.4.0\n')
    for part in parts:
        jar.write(part, 'BOOT-INF/lib/' + os.path.basename(part), zipfile.ZIP_STORED)
PY
# What is in the archives: the coordinates they were asked for by, those of the fat archive, and what its libraries have shaded in (pom.properties).
python3 - "$ROOTFS" >"$EXPECTED" <<'PY'
import io, pathlib, sys, zipfile
found = set()
def look(data):
    with zipfile.ZipFile(data) as jar:
        for name in jar.namelist():
            if name.endswith('/pom.properties'):
                fields = dict(l.split('=', 1) for l in jar.read(name).decode().splitlines() if '=' in l and not l.startswith('#'))
                found.add(f"maven\t{fields['groupId'].strip()}:{fields['artifactId'].strip()}\t{fields['version'].strip()}")
            elif name.endswith('.jar'):
                look(io.BytesIO(jar.read(name)))
for path in pathlib.Path(sys.argv[1]).rglob('*.jar'):
    look(path)
for line in open('coordinates'):
    group, artifact, version = line.strip().split(':')
    found.add(f'maven\t{group}:{artifact}\t{version}')
print('\n'.join(sorted(found)))
PY
