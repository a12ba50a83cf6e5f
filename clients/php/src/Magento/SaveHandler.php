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
    private const WARN_AGAIN_S = 3600;

    private readonly Settings $settings;
    /** @var \Closure(string, string): mixed */
    private readonly \Closure $log;
    private bool $isReachable = false;

    public function __construct(
        EnvSettings $env,
        LoggerInterface $logger,
        private readonly DirectoryList $directories
    ) {
        $this->settings = $env->read();
        $this->log = static fn (string $level, string $message) => $logger->log($level, "Cloakroom session: $message");
        parent::__construct(StoreFactory::create($this->settings), $this->settings, $this->log);
        if ($this->settings->inheritsNoLocking && self::mayWarn()) {
            ($this->log)('warning', 'sessions are not native and have no locks, because session/redis of env.php says '
                . 'disable_locking 1. Set disable_locking in session/cloakroom: to 0 for native sessions, to 1 to keep '
                . 'it so.');
        }
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

    /** Once an hour on a machine with APCu, else in each request. */
    private static function mayWarn(): bool
    {
        return !function_exists('apcu_enabled') || !apcu_enabled()
            || apcu_add('cloakroom-session-no-locking', true, self::WARN_AGAIN_S);
    }

    /** @throws SessionException */
    private function probe(): void
    {
        $wire = StoreFactory::wire($this->settings);
        try {
            $wire->batch([['PING']], $this->settings->timeoutS);
            $this->isReachable = true;
        } catch (SessionError $failure) {
            ($this->log)('critical', 'sessions are in local files, and every shopper is logged out: '
                . $failure->getMessage());
            throw new SessionException(new Phrase($failure->getMessage()), $failure);
        } finally {
            $wire->disconnect();
        }
    }
}
