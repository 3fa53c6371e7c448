<?php

/**
 * A web page: send in a picture, and get the Mandelbrot set in the same size,
 * drawn on a node of the network, with the receipt that proves it.
 *
 *     make build
 *     WEB_PEERS=/ip4/…/p2p/12D3KooW… php -S 127.0.0.1:8080 examples/web/index.php
 *
 * WEB_PEERS are the nodes, separated by white space; to name them is to trust
 * them. They must let in the key of whoever runs this: `plasm-submit --identity`
 * says it, and `plasmd allow` on the node admits it.
 */

declare(strict_types=1);

use Plasm\Client;
use Plasm\Exception\EnvironmentException;
use Plasm\Exception\PlasmException;
use Plasm\Job;
use Plasm\Result;
use Plasm\Transport\RemoteTransport;

require __DIR__ . '/../../php/autoload.php';

const MOST_PIXELS = 2_000_000;

/**
 * @return array{int, int} width and height of the picture that was sent in
 *
 * @throws DomainException when there is none: the visitor's mistake
 */
function size_of_upload(): array
{
    $upload = $_FILES['picture'] ?? null;
    if (!is_array($upload) || $upload['error'] !== UPLOAD_ERR_OK || !is_uploaded_file($upload['tmp_name'])) {
        throw new DomainException('Choose a picture of at most ' . ini_get('upload_max_filesize') . ' bytes.');
    }
    $size = @getimagesize($upload['tmp_name']);
    if ($size === false || $size[0] < 1 || $size[1] < 1) {
        throw new DomainException('That is no picture that this page can read.');
    }
    if ($size[0] * $size[1] > MOST_PIXELS) {
        throw new DomainException('That picture is too large: at most ' . number_format(MOST_PIXELS) . ' pixels.');
    }
    return [$size[0], $size[1]];
}

function draw(int $width, int $height): Result
{
    $peers = preg_split('/\s+/', (string) getenv('WEB_PEERS'), -1, PREG_SPLIT_NO_EMPTY) ?: [];
    $client = new Client(new RemoteTransport(peers: $peers, deadlineMs: 60_000));
    $module = __DIR__ . '/../mandelbrot/mandelbrot.wasm';
    return $client->mustRun(Job::fromFile($module)->args((string) $width, (string) $height)->timeoutMs(30_000));
}

$result = null;
$problem = null;
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    try {
        $result = draw(...size_of_upload());
    } catch (DomainException $e) {
        http_response_code(422);
        $problem = $e->getMessage();
    } catch (PlasmException $e) {
        // The words are for who runs this page, and not for who visits it.
        error_log('examples/web: ' . $e->getMessage());
        http_response_code($e instanceof EnvironmentException ? 503 : 502);
        $problem = 'No node has drawn it. What went wrong is in the log of this server.';
    }
}

$show = static fn (string $s): string => htmlspecialchars($s, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
header("Content-Security-Policy: default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'self'");
header('X-Content-Type-Options: nosniff');
?>
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A picture from a stranger's machine</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
img { max-width: 100%; height: auto }
code, pre { overflow-wrap: anywhere; white-space: pre-wrap }
dt { font-weight: bold }
.problem { color: #a00 }
</style>
<h1>A picture from a stranger's machine</h1>
<p>Send in a picture, and get the Mandelbrot set in the same size, drawn on a node of the network.</p>
<form method="post" enctype="multipart/form-data">
    <label>Picture <input type="file" name="picture" accept="image/*" required></label>
    <button>Draw</button>
</form>
<?php if ($problem !== null) : ?>
<p class="problem" role="alert"><?= $show($problem) ?></p>
<?php endif ?>
<?php if ($result !== null) : ?>
    <?php [$statement, $outcome] = [$result->statement, $result->statement->outcome] ?>
<p><img id="picture" alt="The Mandelbrot set" src="data:image/png;base64,<?= base64_encode($result->stdout) ?>"></p>
<h2 id="verdict"><?= $result->verified ? 'The receipt is verified' : 'Not verified' ?></h2>
<dl>
    <dt>Drawn by</dt><dd><code id="node"><?= $show($statement->node->peerId) ?></code></dd>
    <dt>Program</dt><dd><code><?= $show($statement->manifest->moduleHash) ?></code></dd>
    <dt>Picture</dt><dd><code id="digest"><?= $show($statement->stdout) ?></code></dd>
    <dt>Confined by</dt><dd><?= $show(implode(', ', $statement->node->guards)) ?></dd>
    <dt>Took</dt><dd><?= number_format($outcome->wallTimeUs / 1000, 1) ?> ms</dd>
</dl>
<details>
    <summary>The receipt</summary>
    <pre id="receipt"><?= $show($result->receipt->json) ?></pre>
</details>
<?php endif ?>
</html>
