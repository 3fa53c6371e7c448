<?php

declare(strict_types=1);

namespace Plasm\Tests;

use Plasm\Examples\LocalNodes;

/**
 * The README's examples run as they stand, one after the other, and it lists
 * every exception.
 */
final class ReadmeTest extends SdkTestCase
{
    private static function page(): string
    {
        return (string) file_get_contents(dirname(__DIR__) . '/README.md');
    }

    public function testTheExamplesRun(): void
    {
        preg_match_all('/^```php\n(.*?)^```$/ms', self::page(), $blocks);
        self::assertGreaterThan(8, count($blocks[1]));
        $nodes = new LocalNodes(dirname(self::bin('plasmd')));
        $nodes->start('node');
        // Each block names what it uses; in one file a name can only be taken once.
        $seen = [];
        $once = static function (array $m) use (&$seen): string {
            $new = isset($seen[$m[0]]) ? '' : $m[0];
            $seen[$m[0]] = true;
            return $new;
        };
        $code = (string) preg_replace_callback('/^use .*;$/m', $once, implode("\n", $blocks[1]));
        $copies = "$this->folder/copies.wasm";
        file_put_contents($copies, Guest::copies('planets.csv', 'planets.csv'));
        $given = 'require ' . var_export(dirname(__DIR__) . '/autoload.php', true)
            . ";\n\$address = '{$nodes->address('node')}';\n\$peerId = '{$nodes->peerId('node')}';"
            . "\n\$copies = '$copies';\n\$scratch = '$this->folder';";
        file_put_contents("$this->folder/readme.php", "<?php\n$given\n$code");
        $process = proc_open(
            [PHP_BINARY, '-d', 'display_errors=stderr', '-d', 'error_reporting=-1', "$this->folder/readme.php"],
            [1 => ['pipe', 'w'], 2 => ['redirect', 1]],
            $pipes,
            self::ROOT,
        );
        $said = (string) stream_get_contents($pipes[1]);
        self::assertSame(0, proc_close($process), $said);
        $nodes->end();
        self::assertMatchesRegularExpression(
            '/^ollehexit code \d+, \d+ units of fuel\nfiles: 1, bytes: \d+, in copied\n'
                . 'planets.csv sha256:[0-9a-f]{64}\nolleh12D3KooW\w+ has \d+ free slots\n'
                . 'stdout: one after the other\n(?:[abc]: [abc]\n){3}a: eno\nb: owt\nstdout\n$/D',
            $said,
        );
    }

    public function testTheTableHasEveryException(): void
    {
        preg_match_all('/^\| `(\w+)` \|.*\|(.*)\|$/m', self::page(), $rows, PREG_SET_ORDER);
        $classes = array_map(
            static fn (string $f): string => basename($f, '.php'),
            glob(dirname(__DIR__) . '/src/Exception/*.php') ?: [],
        );
        $shown = array_column($rows, 1);
        self::assertEqualsCanonicalizing(array_diff($classes, ['PlasmException']), $shown);
        foreach ($rows as [, $class, $carries]) {
            preg_match_all('/`(\w+)`/', $carries, $names);
            foreach ($names[1] as $name) {
                self::assertTrue(property_exists("Plasm\\Exception\\$class", $name), "$class has no $name");
            }
        }
    }
}
