<?php

declare(strict_types=1);

namespace Plasm\Tests;

/**
 * The SDK where its users have it: required by Composer, and behind php-fpm.
 */
final class InstallTest extends SdkTestCase
{
    public function testATenLineScriptAfterComposerRequire(): void
    {
        $sdk = dirname(__DIR__);
        $env = [
            'HOME' => $this->folder, 'COMPOSER_HOME' => "$this->folder/composer", 'COMPOSER_ALLOW_SUPERUSER' => '1',
            'COMPOSER_DISABLE_NETWORK' => '1', 'PATH' => (string) getenv('PATH'),
        ];
        $app = "$this->folder/app";
        mkdir($app);
        file_put_contents("$app/composer.json", '{}');
        $composer = function (string ...$arguments) use ($app, $env): void {
            self::assertSame(0, self::command(['composer', '-n', ...$arguments], $app, $env)[0]);
        };
        $composer('config', 'repositories.packagist.org', 'false');
        $composer('config', 'repositories.plasm', 'path', $sdk);
        $composer('require', 'plasm/sdk:@dev');
        file_put_contents("$app/hello.php", <<<'PHP'
            <?php

            require 'vendor/autoload.php';

            use Plasm\{Client, Job};

            $job = Job::fromFile($argv[1])->stdin('hello')->timeoutMs(5000);
            $result = (new Client())->mustRun($job);

            echo $result->stdout, ' ', $result->statement->node->peerId, "\n";
            PHP);
        $module = (string) realpath(self::example('hello'));
        [$code, $said] = self::command([PHP_BINARY, 'hello.php', $module], $app, $env);
        self::assertSame(0, $code, $said);
        self::assertMatchesRegularExpression('/^olleh 12D3KooW\w+\n$/D', $said);
    }

    public function testARequestToPhpFpm(): void
    {
        $fpm = glob('/usr/sbin/php-fpm8.*')[0] ?? '';
        self::assertNotSame('', $fpm, 'php-fpm is not there; scripts/deps installs it');
        $home = $this->fpmFolder();
        $socket = "$this->folder/fpm.sock";
        $config = <<<INI
            [global]
            error_log = /proc/self/fd/2
            daemonize = no
            [www]
            listen = $socket
            pm = static
            pm.max_children = 1
            php_admin_value[disable_functions] = exec,passthru,shell_exec,system,popen,pcntl_fork,pcntl_exec
            php_admin_value[memory_limit] = 64M

            INI;
        if (posix_geteuid() === 0) {
            $config .= "user = www-data\ngroup = www-data\nlisten.owner = www-data\n";
        }
        file_put_contents("$this->folder/fpm.conf", $config);
        $streams = [1 => ['file', '/dev/null', 'w'], 2 => ['pipe', 'w']];
        $process = proc_open([$fpm, '-y', "$this->folder/fpm.conf"], $streams, $pipes);
        try {
            stream_set_timeout($pipes[2], 30);
            do {
                $said = fgets($pipes[2]);
                self::assertIsString($said, 'php-fpm does not become ready');
            } while (!str_contains($said, 'ready to handle connections'));
            $answers = [];
            for ($i = 0; $i < 5; $i++) {
                $answers[] = self::request($socket, "$home/request.php");
            }
        } finally {
            proc_terminate($process);
            proc_close($process);
        }
        self::assertCount(5, $answers);
        foreach ($answers as $answer) {
            [$output, $verified, $pid, $descriptors, $children] = explode(' ', $answer);
            self::assertSame(['olleh', 'verified', '0'], [$output, $verified, $children], $answer);
            // One process answered them all, and holds no more than after the first.
            $seen[$pid][$descriptors] = true;
        }
        self::assertCount(1, $seen);
        self::assertCount(1, reset($seen));
    }

    /** What www-data can read and write, wherever the clone is. */
    private function fpmFolder(): string
    {
        $home = "$this->folder/home";
        mkdir($home);
        $sdk = dirname(__DIR__);
        copy(self::bin('plasm-run'), "$home/plasm-run");
        copy(self::example('hello'), "$home/hello.wasm");
        self::command(['cp', '-r', "$sdk/src", "$sdk/autoload.php", $home], '/', getenv());
        file_put_contents("$home/request.php", <<<'PHP'
            <?php
            require __DIR__ . '/autoload.php';
            $client = new Plasm\Client(new Plasm\Transport\LocalTransport(
                bin: __DIR__,
                key: __DIR__ . '/key.pem',
                cacheDir: __DIR__ . '/modules',
            ));
            $result = $client->mustRun(Plasm\Job::fromFile(__DIR__ . '/hello.wasm')->stdin('hello'));
            $children = trim(file_get_contents('/proc/self/task/' . getmypid() . '/children'));
            echo $result->stdout, ' ', $result->verified ? 'verified' : '', ' ', getmypid(), ' ',
                count(scandir('/proc/self/fd')), ' ', count(preg_split('/ /', $children, -1, PREG_SPLIT_NO_EMPTY));
            PHP);
        chmod("$home/plasm-run", 0755);
        if (posix_geteuid() === 0) {
            chmod($this->folder, 0755);
            chown($home, 'www-data');
        }
        return $home;
    }

    /** What a script answers to a request over FastCGI. */
    private static function request(string $socket, string $script): string
    {
        $env = ['SCRIPT_FILENAME' => $script, 'REQUEST_METHOD' => 'GET', 'PATH' => (string) getenv('PATH')];
        [, $said] = self::command(['cgi-fcgi', '-bind', '-connect', $socket], '/', $env);
        return (string) preg_replace('/^.*?\r\n\r\n/s', '', $said);
    }

    /**
     * @param list<string>          $command
     * @param array<string, string> $env
     *
     * @return array{int, string} its exit code and what it printed
     */
    private static function command(array $command, string $folder, array $env): array
    {
        $spec = [['file', '/dev/null', 'r'], ['pipe', 'w'], ['redirect', 1]];
        $process = proc_open($command, $spec, $pipes, $folder, $env);
        $said = (string) stream_get_contents($pipes[1]);
        return [proc_close($process), $said];
    }
}
