<?php

declare(strict_types=1);

namespace Cloakroom\Session\Magento;

use Cloakroom\Session\Error\SessionError;
use Cloakroom\Session\Error\TooMany;
use Cloakroom\Session\Handler;
use Cloakroom\Session\Settings;
use Cloakroom\Session\StoreFactory;
use Magento\Framework\App\Filesystem\DirectoryList;
use Magento\Framework\Exception\SessionException;
use Magento\Framework\Phrase;
use Magento\Framework\Session\SaveHandlerInterface;
use Psr\Log\LoggerInterface;

/**
 * The session handler that Magento makes when env.php says 'save' => 'cloakroom'.
 *
 * A SessionException makes Magento use local files from then on, which logs everybody out. So none leaves this class,
 * unless on_unreachable is "files", and then only before a session was read.
 */
class SaveHandler extends Handler implements SaveHandlerInterface, AccessMode
{
    private readonly Settings $settings;
    private bool $isReachable = false;

    public function __construct(
        EnvSettings $env,
        LoggerInterface $logger,
        private readonly DirectoryList $directories
    ) {
        $this->settings = $env->read();
        parent::__construct(
            StoreFactory::create($this->settings),
            $this->settings,
            static fn (string $level, string $message) => $logger->log($level, "Cloakroom session: $message")
        );
    }

    public function open(string $path, string $name): bool
    {
        if ($this->settings->onUnreachable === 'files' && !$this->isReachable) {
            $this->probe();
        }
        return parent::open($path, $name);
    }

    /** Shows the shop's page "503" and ends the request, as Magento does for Redis. */
    protected function refuse(TooMany $failure): void
    {
        parent::refuse($failure);
        $page = $this->directories->getPath('pub') . '/errors/503.php';
        if (PHP_SAPI !== 'cli' && is_file($page)) {
            require $page;
            exit;
        }
    }

    /** @throws SessionException */
    private function probe(): void
    {
        $wire = StoreFactory::wire($this->settings);
        try {
            $wire->batch([['PING']], $this->settings->timeoutS);
            $this->isReachable = true;
        } catch (SessionError $failure) {
            throw new SessionException(new Phrase($failure->getMessage()), $failure);
        } finally {
            $wire->disconnect();
        }
    }
}
