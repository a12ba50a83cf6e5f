<?php

// Magento's classes that the package meets, reduced to what it uses of them.

declare(strict_types=1);

namespace Magento\Framework\Session {
    interface SaveHandlerInterface extends \SessionHandlerInterface
    {
        public const DEFAULT_HANDLER = 'files';
    }

    interface SessionAccessModeAwareInterface
    {
        public function setReadOnly(bool $readOnly): void;
    }
}

namespace Magento\Framework {
    final class Phrase
    {
        public function __construct(private readonly string $text)
        {
        }

        public function __toString(): string
        {
            return $this->text;
        }
    }
}

namespace Magento\Framework\Exception {
    use Magento\Framework\Phrase;

    class SessionException extends \Exception
    {
        public function __construct(Phrase $phrase, ?\Exception $cause = null, int $code = 0)
        {
            parent::__construct((string) $phrase, $code, $cause);
        }
    }
}

namespace Magento\Framework\App {
    class DeploymentConfig
    {
        /** @param array<string, mixed> $sections by path */
        public function __construct(private readonly array $sections)
        {
        }

        public function get(string $key, mixed $default = null): mixed
        {
            return $this->sections[$key] ?? $default;
        }
    }

    class State
    {
        public function __construct(private readonly string $area)
        {
        }

        public function getAreaCode(): string
        {
            return $this->area;
        }
    }
}

namespace Magento\Framework\App\Config {
    interface ScopeConfigInterface
    {
        /** @return mixed */
        public function getValue($path, $scopeType = 'default', $scopeCode = null);
    }
}

namespace Magento\Framework\App\Filesystem {
    class DirectoryList
    {
        public function __construct(private readonly string $root)
        {
        }

        public function getPath(string $code): string
        {
            return "{$this->root}/$code";
        }
    }
}

namespace Magento\Framework\Component {
    class ComponentRegistrar
    {
        public const MODULE = 'module';

        /** @var list<array{string, string, string}> */
        public static array $registered = [];

        public static function register(string $type, string $name, string $path): void
        {
            self::$registered[] = [$type, $name, $path];
        }
    }
}

namespace Psr\Log {
    interface LoggerInterface
    {
        /** @param mixed[] $context */
        public function log(mixed $level, string|\Stringable $message, array $context = []): void;
    }
}
