<?php

declare(strict_types=1);

namespace Plasm\Tests;

/**
 * A headless Chromium that is told what to do over its debugging pipe: messages
 * are JSON, each followed by a NUL, at its descriptors 3 and 4.
 */
final class Chromium
{
    private const SECONDS = 60;

    /** @var resource */
    private mixed $process;
    /** @var resource */
    private mixed $to;
    /** @var resource */
    private mixed $from;
    private int $id = 0;
    private string $session = '';
    private string $buffer = '';
    /** @var list<string> */
    private array $events = [];

    public function __construct(string $command, string $folder)
    {
        $flags = [
            '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
            '--disable-background-networking', '--remote-debugging-pipe', "--user-data-dir=$folder/chromium",
            'about:blank',
        ];
        $null = ['file', '/dev/null', 'w'];
        $spec = [['file', '/dev/null', 'r'], $null, $null, ['pipe', 'r'], ['pipe', 'w']];
        $env = ['HOME' => $folder, 'PATH' => (string) getenv('PATH'), 'TMPDIR' => $folder];
        $process = proc_open([$command, ...$flags], $spec, $pipes, $folder, $env);
        if (!is_resource($process)) {
            throw new \RuntimeException('chromium cannot be started');
        }
        $this->process = $process;
        [$this->to, $this->from] = [$pipes[3], $pipes[4]];
        stream_set_blocking($this->from, false);
        $target = $this->call('Target.createTarget', ['url' => 'about:blank'])['targetId'];
        $this->session = $this->call('Target.attachToTarget', ['targetId' => $target, 'flatten' => true])['sessionId'];
        $this->call('Page.enable');
    }

    public function open(string $url): void
    {
        $this->andWait(fn () => $this->call('Page.navigate', ['url' => $url]));
    }

    /** Puts a file into the form's only file field, and sends it. */
    public function upload(string $file): void
    {
        $root = $this->call('DOM.getDocument')['root']['nodeId'];
        $input = ['nodeId' => $root, 'selector' => 'input[type=file]'];
        $node = $this->call('DOM.querySelector', $input)['nodeId'];
        $this->call('DOM.setFileInputFiles', ['files' => [$file], 'nodeId' => $node]);
        $this->andWait(fn () => $this->evaluate('document.querySelector("button").click()'));
    }

    /** The value of a JavaScript expression. */
    public function evaluate(string $expression): mixed
    {
        $said = $this->call('Runtime.evaluate', ['expression' => $expression, 'returnByValue' => true]);
        return $said['result']['value'] ?? null;
    }

    /** Does something that loads a page, and waits until it is there. */
    private function andWait(callable $do): void
    {
        $this->events = [];
        $do();
        while (!in_array('Page.loadEventFired', $this->events, true)) {
            $this->receive();
        }
    }

    /**
     * @param array<string, mixed> $params
     *
     * @return array<string, mixed>
     */
    private function call(string $method, array $params = []): array
    {
        $message = ['id' => ++$this->id, 'method' => $method, 'params' => (object) $params];
        if ($this->session !== '') {
            $message['sessionId'] = $this->session;
        }
        fwrite($this->to, json_encode($message, JSON_THROW_ON_ERROR) . "\0");
        do {
            $answer = $this->receive();
        } while (($answer['id'] ?? null) !== $this->id);
        return $answer['result'] ?? throw new \RuntimeException("$method: " . json_encode($answer));
    }

    /** @return array<string, mixed> the next message */
    private function receive(): array
    {
        $end = microtime(true) + self::SECONDS;
        while (($at = strpos($this->buffer, "\0")) === false) {
            [$read, $none] = [[$this->from], null];
            stream_select($read, $none, $none, 1);
            $this->buffer .= fread($this->from, 65536);
            if (microtime(true) > $end || feof($this->from)) {
                throw new \RuntimeException('chromium does not answer');
            }
        }
        $message = json_decode(substr($this->buffer, 0, $at), true, 512, JSON_THROW_ON_ERROR);
        $this->buffer = substr($this->buffer, $at + 1);
        if (isset($message['method'])) {
            $this->events[] = $message['method'];
        }
        return $message;
    }

    public function close(): void
    {
        try {
            $this->session = '';
            $this->call('Browser.close');
        } catch (\RuntimeException) {
            proc_terminate($this->process, 9);
        }
        fclose($this->to);
        proc_close($this->process);
    }
}
