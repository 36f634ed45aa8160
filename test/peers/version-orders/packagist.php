<?php
// Normal forms of Composer\Semver\VersionParser, compared as Composer\Semver\Constraint does; branches by name have no order.
require '/usr/share/php/Composer/Semver/autoload.php';
$parser = new Composer\Semver\VersionParser();
while (($line = fgets(STDIN)) !== false) {
    [$a, $b] = explode("\t", rtrim($line, "\n"));
    try {
        [$a, $b] = [$parser->normalize($a), $parser->normalize($b)];
        echo strpos($a, 'dev-') === 0 || strpos($b, 'dev-') === 0 ? '?' : '<=>'[version_compare($a, $b) + 1], "\n";
    } catch (UnexpectedValueException $e) {
        echo "?\n";
    }
}
