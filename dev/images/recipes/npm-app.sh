# A Node application with packages of old versions. Needs npm.
mkdir -p "$ROOTFS/app"
cat >"$ROOTFS/app/package.json" <<'JSON'
{
  "name": "old-app", "version": "1.0.0", "private": true,
  "dependencies": {
    "lodash": "4.17.4", "minimist": "1.2.0", "express": "4.15.2", "axios": "0.19.0", "node-forge": "0.7.0", "jquery": "3.3.1",
    "serialize-javascript": "1.7.0", "handlebars": "4.0.11", "marked": "0.3.9", "ws": "3.3.0", "tar": "4.4.1", "ini": "1.3.5",
    "y18n": "4.0.0", "glob-parent": "5.1.1", "ansi-regex": "5.0.0", "json5": "2.2.1", "moment": "2.18.1", "underscore": "1.8.3",
    "jsonwebtoken": "8.5.1", "xmldom": "0.1.27", "bootstrap": "3.3.7", "dompurify": "2.0.0", "mocha": "5.2.0", "semver": "7.3.4"
  }
}
JSON
cd "$ROOTFS/app"
npm install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error
# What is installed, by npm itself.
npm ls --all --parseable --long | sed -nE 's/^[^:]*:(@?[^@:]+)@([^:]+):?.*$/npm\t\1\t\2/p' | grep -v "$(printf '^npm\told-app\t')" | sort -u >"$EXPECTED"
printf 'npm\told-app\t1.0.0\n' >>"$EXPECTED"
