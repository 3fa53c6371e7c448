<?php

declare(strict_types=1);

require __DIR__ . '/../autoload.php';
require __DIR__ . '/../../examples/support/LocalNodes.php';

spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'Plasm\\Tests\\')) {
        require __DIR__ . '/' . str_replace('\\', '/', substr($class, strlen('Plasm\\Tests\\'))) . '.php';
    }
});
