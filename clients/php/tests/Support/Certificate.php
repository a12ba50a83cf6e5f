<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Support;

use PHPUnit\Framework\Assert;

/** A certificate that nobody has signed but itself, and its key: both in one file. */
final class Certificate
{
    public readonly string $path;

    public function __construct(string $name)
    {
        $key = openssl_pkey_new(['private_key_bits' => 2048]);
        Assert::assertNotFalse($key);
        $request = openssl_csr_new(['commonName' => $name], $key);
        Assert::assertNotFalse($request);
        $signed = openssl_csr_sign($request, null, $key, 2, ['digest_alg' => 'sha256']);
        Assert::assertNotFalse($signed);
        openssl_x509_export($signed, $text);
        openssl_pkey_export($key, $secret);
        $this->path = (string) tempnam(sys_get_temp_dir(), 'cert');
        file_put_contents($this->path, $text . $secret);
    }

    public function remove(): void
    {
        unlink($this->path);
    }
}
