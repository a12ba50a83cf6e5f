<?php

declare(strict_types=1);

namespace Cloakroom\Session;

use Cloakroom\Session\Error\Refused;

/**
 * Compresses sessions as php-redis-session-abstract does: four bytes of prefix name the library.
 *
 * So settings can change at any time, and both read what the other wrote.
 */
final class Codec
{
    private const PREFIXES = ['gzip' => ':gz:', 'lzf' => ':lz:', 'lz4' => ':l4:', 'snappy' => ':sn:'];
    private const COMPRESSORS = [
        'gzip' => 'gzcompress', 'lzf' => 'lzf_compress', 'lz4' => 'lz4_compress', 'snappy' => 'snappy_compress',
    ];
    private const DECOMPRESSORS = [
        'gzip' => 'gzuncompress', 'lzf' => 'lzf_decompress', 'lz4' => 'lz4_uncompress', 'snappy' => 'snappy_uncompress',
    ];
    private const GZIP_LEVEL = 1;

    private bool $complained = false;

    /**
     * @param string $library gzip, lzf, lz4, snappy or none
     * @param int $thresholdBytes shorter data stays as it is; 0: all data does
     * @param \Closure(string): void $warn
     */
    public function __construct(
        private readonly string $library,
        private readonly int $thresholdBytes,
        private readonly \Closure $warn
    ) {
    }

    /** @return list<string> what compression_library may say */
    public static function libraries(): array
    {
        return [...array_keys(self::PREFIXES), 'none'];
    }

    /** Without the library's extension, or if it fails, the data stays as it is; that is said once. */
    public function encode(string $data): string
    {
        $compress = self::COMPRESSORS[$this->library] ?? null;
        if ($compress === null || $this->thresholdBytes === 0 || strlen($data) < $this->thresholdBytes) {
            return $data;
        }
        $arguments = $this->library === 'gzip' ? [$data, self::GZIP_LEVEL] : [$data];
        $compressed = function_exists($compress) ? $compress(...$arguments) : false;
        if (!is_string($compressed) || $compressed === '') {
            $this->complain("Sessions are stored without compression: PHP has no working $compress(). Install the "
                . "extension, or set compression_library to another of: " . implode(', ', self::libraries()) . '.');
            return $data;
        }
        return self::PREFIXES[$this->library] . $compressed;
    }

    /** @throws Refused when the data is damaged, or its extension is missing here */
    public function decode(string $data): string
    {
        $library = array_search(substr($data, 0, 4), self::PREFIXES, true);
        if ($library === false) {
            return $data;
        }
        $decompress = self::DECOMPRESSORS[$library];
        if (!function_exists($decompress)) {
            throw new Refused("A session is compressed with $library, but this PHP has no $decompress(): install the "
                . 'extension on every web server.');
        }
        $raw = @$decompress(substr($data, 4));
        return is_string($raw) ? $raw : throw new Refused("A session's $library data is damaged; delete the session.");
    }

    private function complain(string $message): void
    {
        if (!$this->complained) {
            $this->complained = true;
            ($this->warn)($message);
        }
    }
}
