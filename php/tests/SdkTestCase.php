<?php

declare(strict_types=1);

namespace Plasm\Tests;

use PHPUnit\Framework\TestCase;
use Plasm\Client;
use Plasm\Transport\LocalTransport;

/**
 * What tests with real commands need: a folder of their own, with a key and a
 * cache in it, and the commands in bin/ of the clone.
 */
abstract class SdkTestCase extends TestCase
{
    protected const ROOT = __DIR__ . '/../..';

    protected string $folder;
    private static string $shared = '';

    public static function setUpBeforeClass(): void
    {
        // One for all tests: what was compiled once needn't be again.
        if (self::$shared === '') {
            self::$shared = self::makeFolder();
            $owner = getmypid();
            register_shutdown_function(static function () use ($owner): void {
                if (getmypid() === $owner) {
                    self::remove(self::$shared);
                }
            });
            $places = [
                'PLASM_KEY' => 'key.pem', 'PLASM_CACHE_DIR' => 'modules', 'XDG_CACHE_HOME' => 'cache',
                'XDG_DATA_HOME' => 'data', 'XDG_CONFIG_HOME' => 'config', 'XDG_RUNTIME_DIR' => 'run',
            ];
            foreach ($places as $name => $place) {
                putenv("$name=" . self::$shared . "/$place");
            }
            array_map('putenv', ['PLASM_TRUST', 'PLASM_BOOTSTRAP', 'PLASM_NETWORK_KEY', 'PLASM_ENGINES']);
            putenv('PLASM_BIN=' . realpath(self::ROOT . '/bin'));
        }
    }

    protected function setUp(): void
    {
        $this->folder = self::makeFolder();
    }

    protected function tearDown(): void
    {
        self::remove($this->folder);
    }

    protected function client(mixed ...$options): Client
    {
        return new Client(new LocalTransport(...$options));
    }

    protected static function example(string $name): string
    {
        return self::ROOT . "/examples/$name/$name.wasm";
    }

    protected static function bin(string $command): string
    {
        return realpath(self::ROOT . '/bin') . "/$command";
    }

    /** An executable script in the test's folder. */
    protected function script(string $name, string $body): string
    {
        $path = "$this->folder/$name";
        file_put_contents($path, "#!/bin/sh\n$body\n");
        chmod($path, 0755);
        return $path;
    }

    /**
     * @template T of \Throwable
     *
     * @param class-string<T> $class
     *
     * @return T
     */
    protected static function thrown(string $class, callable $call): \Throwable
    {
        try {
            $call();
        } catch (\Throwable $e) {
            self::assertInstanceOf($class, $e, get_class($e) . ': ' . $e->getMessage());
            self::assertMatchesRegularExpression('/^[^\x00-\x1f\x7f]{5,1500}$/Du', $e->getMessage());
            return $e;
        }
        self::fail("no $class");
    }

    private static function makeFolder(): string
    {
        $folder = sys_get_temp_dir() . '/plasm-php-' . bin2hex(random_bytes(8));
        mkdir($folder, 0700);
        return $folder;
    }

    private static function remove(string $folder): void
    {
        $entries = new \RecursiveIteratorIterator(
            new \RecursiveDirectoryIterator($folder, \FilesystemIterator::SKIP_DOTS),
            \RecursiveIteratorIterator::CHILD_FIRST,
        );
        foreach ($entries as $entry) {
            $entry->isDir() && !$entry->isLink() ? rmdir($entry->getPathname()) : unlink($entry->getPathname());
        }
        rmdir($folder);
    }
}
