<?php

// Autoloading without composer: the package's classes, and those of its tests.

declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    $roots = ['Cloakroom\\Session\\Tests\\' => __DIR__, 'Cloakroom\\Session\\' => dirname(__DIR__) . '/src'];
    foreach ($roots as $prefix => $directory) {
        if (str_starts_with($class, $prefix)) {
            $file = $directory . '/' . str_replace('\\', '/', substr($class, strlen($prefix))) . '.php';
            if (is_file($file)) {
                require $file;
            }
            return;
        }
    }
});
