<?php

// A page of a shop whose session handler is the one for Magento. CLOAKROOM_OPTIONS has session/cloakroom as JSON.

declare(strict_types=1);

use Cloakroom\Session\Magento\EnvSettings;
use Cloakroom\Session\Magento\SaveHandler;
use Magento\Framework\App\Config\ScopeConfigInterface;
use Magento\Framework\App\DeploymentConfig;
use Magento\Framework\App\Filesystem\DirectoryList;
use Magento\Framework\App\State;
use Psr\Log\LoggerInterface;

require dirname(__DIR__) . '/bootstrap.php';

$options = json_decode((string) getenv('CLOAKROOM_OPTIONS'), true, 8, JSON_THROW_ON_ERROR);
$scope = new class implements ScopeConfigInterface {
    public function getValue($path, $scopeType = 'default', $scopeCode = null): string
    {
        return '3600';
    }
};
$logger = new class implements LoggerInterface {
    public function log(mixed $level, string|\Stringable $message, array $context = []): void
    {
        file_put_contents((string) getenv('CLOAKROOM_LOG'), "$level: $message\n", FILE_APPEND);
    }
};
$env = new EnvSettings(new DeploymentConfig(['session/cloakroom' => $options]), new State('frontend'), $scope);
$handler = new SaveHandler($env, $logger, new DirectoryList(dirname(__DIR__) . '/fixtures'));
session_set_save_handler(
    $handler->open(...),
    $handler->close(...),
    $handler->read(...),
    $handler->write(...),
    $handler->destroy(...),
    $handler->gc(...)
);
session_start();
echo 'the page';
