<?php

/**
 * Loads the SDK where there is no Composer: `require 'php/autoload.php';`.
 */

declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'Plasm\\')) {
        $file = __DIR__ . '/src/' . str_replace('\\', '/', substr($class, strlen('Plasm\\'))) . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
