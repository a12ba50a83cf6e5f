<?php

declare(strict_types=1);

namespace Cloakroom\Session\Magento;

use Cloakroom\Session\Settings;
use Magento\Framework\App\Config\ScopeConfigInterface;
use Magento\Framework\App\DeploymentConfig;
use Magento\Framework\App\State;

/**
 * Reads the options from app/etc/env.php: session/cloakroom, what is left out there from session/redis, then defaults.
 *
 * So a shop that had Redis needs to change 'save' only.
 */
final class EnvSettings
{
    private const ADMIN_AREA = 'adminhtml';
    private const ADMIN_LIFETIME = 'admin/security/session_lifetime';
    private const COOKIE_LIFETIME = 'web/cookie/cookie_lifetime';

    public function __construct(
        private readonly DeploymentConfig $deploymentConfig,
        private readonly State $appState,
        private readonly ScopeConfigInterface $scopeConfig
    ) {
    }

    /** @throws \InvalidArgumentException when an option is wrong */
    public function read(): Settings
    {
        $area = (string) $this->appState->getAreaCode();
        $inherited = array_filter(
            $this->section('session/redis'),
            static fn (string|int $name): bool => Settings::isKnown((string) $name),
            ARRAY_FILTER_USE_KEY
        );
        $lifetime = ['lifetime' => (string) $this->lifetimeS($area)];
        return new Settings($this->section('session/cloakroom'), $area, $inherited + $lifetime);
    }

    /** @return array<string, mixed> */
    private function section(string $path): array
    {
        $section = $this->deploymentConfig->get($path);
        return is_array($section) ? $section : [];
    }

    private function lifetimeS(string $area): int
    {
        return $area === self::ADMIN_AREA
            ? (int) $this->scopeConfig->getValue(self::ADMIN_LIFETIME)
            : (int) $this->scopeConfig->getValue(self::COOKIE_LIFETIME, 'store');
    }
}
