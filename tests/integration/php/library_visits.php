<?php
// The unmodified library php-redis-session-abstract, as composer installed it: visits one session so
// many times and adds one to a counter in it each time. Prints how long it waited for each, in seconds.
//   library_visits.php AUTOLOAD PORT ID VISITS
declare(strict_types=1);

require __DIR__ . '/common.php';
[, $autoload, $port, $id, $visits] = $argv;
require $autoload;

/** An object of the library's interface, whose methods return what `answers` says, else null. */
function implementing(string $interface, array $answers): object
{
    $methods = '';
    foreach ((new ReflectionClass($interface))->getMethods() as $method) {
        $parameters = [];
        foreach ($method->getParameters() as $parameter) {
            $parameters[] = trim($parameter->getType() . ' $' . $parameter->getName())
                . ($parameter->isDefaultValueAvailable()
                    ? ' = ' . var_export($parameter->getDefaultValue(), true) : '');
        }
        $name = $method->getName();
        $returns = $method->hasReturnType() ? ': ' . $method->getReturnType() : '';
        $body = $returns === ': void' ? '' : "return \$this->answers['$name'] ?? null;";
        $methods .= "public function $name(" . implode(', ', $parameters) . ")$returns { $body }\n";
    }
    return eval("return new class(\$answers) implements \\$interface {
        public function __construct(private array \$answers) {}
        $methods
    };");
}

$config = implementing(Cm\RedisSession\Handler\ConfigInterface::class, [
    'getHost' => '127.0.0.1', 'getPort' => (int) $port, 'getDatabase' => 2, 'getTimeout' => 2.5,
    'getPassword' => '', 'getPersistentIdentifier' => '', 'getCompressionThreshold' => 2048,
    'getCompressionLibrary' => 'gzip', 'getLogLevel' => 0, 'getMaxConcurrency' => 20,
    'getBreakAfter' => 5, 'getFailAfter' => 15, 'getLifetime' => 3600, 'getMinLifetime' => 60,
    'getMaxLifetime' => 2592000, 'getFirstLifetime' => 600, 'getBotFirstLifetime' => 60,
    'getBotLifetime' => 7200, 'getDisableLocking' => false,
]);
$logger = implementing(Cm\RedisSession\Handler\LoggerInterface::class, []);
for ($visit = 0; $visit < (int) $visits; ++$visit) {
    $handler = new Cm\RedisSession\Handler($config, $logger, false);
    check($handler->open('', 'PHPSESSID'), 'open');
    $began = microtime(true);
    $count = (int) $handler->read($id);
    printf("%.3f\n", microtime(true) - $began);
    check($handler->write($id, (string) ($count + 1)), 'write');
    $handler->close();
}
