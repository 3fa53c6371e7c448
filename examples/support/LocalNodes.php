<?php

declare(strict_types=1);

namespace Plasm\Examples;

/**
 * Nodes on loopback, for examples and tests: started, known by their addresses,
 * and ended with this object. Everything they write is in a temporary folder, and so is
 * what the commands write that this process starts until then: they have a key of their
 * own, which alone may submit jobs, and no address of these nodes stays in the user's
 * list of peers.
 */
final class LocalNodes
{
    /** Variables that lead to the user's own keys, peers, nodes and networks. */
    private const PLACES = [
        'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR', 'RUNTIME_DIRECTORY', 'STATE_DIRECTORY',
        'PLASM_KEY', 'PLASM_TRUST', 'PLASM_BOOTSTRAP', 'PLASM_NETWORK_KEY',
        'PLASMD_CONFIG', 'PLASMD_BOOTSTRAP', 'PLASMD_NETWORK_KEY',
    ];

    public readonly string $folder;
    /** @var array<string, resource> the processes, by name */
    private array $processes = [];
    /** @var array<string, string> the first address, by name */
    private array $addresses = [];
    private readonly int $owner;

    private readonly string $requester;
    /** @var array<string, string|false> what PLACES were, by name */
    private array $users = [];

    /** @param string $bin the folder with the commands */
    public function __construct(private readonly string $bin)
    {
        $this->folder = sys_get_temp_dir() . '/plasm-nodes-' . bin2hex(random_bytes(8));
        $this->owner = (int) getmypid();
        mkdir($this->folder, 0700);
        mkdir("$this->folder/home", 0700);
        foreach (self::PLACES as $name) {
            $this->users[$name] = getenv($name);
            putenv(str_starts_with($name, 'XDG_') ? "$name=$this->folder/home" : $name);
        }
        $this->requester = (string) exec(escapeshellarg("$bin/plasm-submit") . ' --identity');
        register_shutdown_function($this->end(...));
    }

    /** Starts a node; returns when it is ready. All but the first find the others through that. */
    public function start(string $name, string ...$flags): void
    {
        $dir = "$this->folder/$name";
        $first = reset($this->addresses);
        $command = [
            "$this->bin/plasmd", 'serve', "--data-dir=$dir", "--runtime-dir=$dir/run", '--mdns=false',
            '--listen=/ip4/127.0.0.1/tcp/0', '--memory=512', "--allow=$this->requester",
            ...($first === false ? [] : ["--bootstrap=$first"]), ...$flags,
        ];
        $streams = [['file', '/dev/null', 'r'], ['pipe', 'w'], ['file', "$dir.log", 'w']];
        $process = proc_open($command, $streams, $pipes);
        $line = is_resource($process) ? fgets($pipes[1]) : false;
        if ($line === false) {
            throw new \RuntimeException("$name did not start: " . @file_get_contents("$dir.log"));
        }
        $this->processes[$name] = $process;
        $this->addresses[$name] = trim($line);
    }

    /** Where a node listens: a multiaddress that ends in /p2p/ and its peer ID. */
    public function address(string $name): string
    {
        return $this->addresses[$name];
    }

    public function peerId(string $name): string
    {
        return substr($this->addresses[$name], (int) strrpos($this->addresses[$name], '/') + 1);
    }

    /** @return list<string> */
    public function peerIds(): array
    {
        return array_map($this->peerId(...), array_keys($this->addresses));
    }

    /** What a node has logged so far. */
    public function log(string $name): string
    {
        return (string) file_get_contents("$this->folder/$name.log");
    }

    /** Kills a node, which has no time to say good-bye. */
    public function kill(string $name): void
    {
        proc_terminate($this->processes[$name], 9);
        proc_close($this->processes[$name]);
        unset($this->processes[$name]);
    }

    /** Ends all nodes and removes what they left. */
    public function end(): void
    {
        if (getmypid() !== $this->owner) {
            return;
        }
        foreach (array_keys($this->processes) as $name) {
            $this->kill($name);
        }
        foreach ($this->users as $name => $value) {
            putenv($value === false ? $name : "$name=$value");
        }
        $this->users = [];
        if (is_dir($this->folder)) {
            exec('rm -rf ' . escapeshellarg($this->folder));
        }
    }
}
