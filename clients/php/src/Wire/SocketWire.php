<?php

declare(strict_types=1);

namespace Cloakroom\Session\Wire;

use Cloakroom\Session\Error\Unreachable;

/**
 * A connection over PHP's own streams, which needs no extension: TCP, TLS (with ext-openssl) or a unix socket.
 *
 * A persistent connection may still hold a reply to the request before. So its first batch ends with an ECHO of a
 * random word, and unless that word comes back last the connection is given up.
 */
final class SocketWire extends Connection
{
    private const READ_BYTES = 64 << 10;

    /** @var resource|null */
    private $stream = null;
    private ReplyReader $reader;
    private float $deadline = 0.0;
    private bool $sent = false;
    private bool $unproven = false;
    private string $where = '';

    /**
     * @param \Closure(float): Address $locate
     * @param float $connectTimeoutS for the connection and for the TLS handshake
     * @param array<string, mixed> $tls PHP's ssl context options: cafile, peer_name, verify_peer …
     * @param string $persistentId '' for a connection that ends with the request; requests share those of one name
     */
    public function __construct(
        \Closure $locate,
        Login $login,
        float $connectTimeoutS,
        private readonly array $tls = [],
        private readonly string $persistentId = '',
        int $rounds = 1
    ) {
        parent::__construct($locate, $login, $connectTimeoutS, $rounds);
    }

    public function isPersistent(): bool
    {
        return $this->persistentId !== '';
    }

    protected function connect(Address $address, float $timeoutS): void
    {
        $this->where = $address->url();
        $url = $this->isPersistent() && !$address->isUnix()
            ? $this->where . '/' . rawurlencode($this->persistentId)
            : $this->where;
        $flags = STREAM_CLIENT_CONNECT | ($this->isPersistent() ? STREAM_CLIENT_PERSISTENT : 0);
        $context = stream_context_create(['ssl' => $this->tls, 'socket' => ['tcp_nodelay' => true]]);
        $number = 0;
        $text = '';
        $warnings = [];
        $stream = self::collectWarnings(function () use ($url, $timeoutS, $flags, $context, &$number, &$text): mixed {
            return stream_socket_client($url, $number, $text, $timeoutS, $flags, $context);
        }, $warnings);
        if ($stream === false) {
            $why = $warnings === [] ? "$text ($number)" : implode('; ', $warnings);
            throw new Unreachable("No connection to {$this->where}: $why");
        }
        // With a buffer, fread would return what is in it only after waiting for more.
        stream_set_read_buffer($stream, 0);
        $this->stream = $stream;
        $this->reader = new ReplyReader($this->receive(...));
        $this->unproven = $this->isPersistent();
    }

    protected function exchange(array $commands, float $timeoutS): array
    {
        $this->deadline = microtime(true) + $timeoutS;
        $this->sent = false;
        $proof = null;
        if ($this->unproven) {
            $proof = bin2hex(random_bytes(8));
            $commands[] = ['ECHO', $proof];
        }
        $this->send($commands);
        $replies = [];
        while (count($replies) < count($commands)) {
            $replies[] = $this->reader->next();
        }
        return $proof === null ? $replies : $this->proven($replies, $proof);
    }

    /**
     * @param list<mixed> $replies
     * @return list<mixed>
     */
    private function proven(array $replies, string $proof): array
    {
        $last = array_pop($replies);
        if ($last === $proof) {
            $this->unproven = false;
        } elseif (!$last instanceof ErrorReply || $last->code() !== 'NOAUTH') {
            // NOAUTH is left to the login, which says more.
            throw new Unreachable("The kept connection to {$this->where} held an old reply.", true);
        }
        return $replies;
    }

    protected function close(): void
    {
        if (is_resource($this->stream)) {
            fclose($this->stream);
        }
        $this->stream = null;
    }

    /** @param list<list<string>> $commands */
    private function send(array $commands): void
    {
        $bytes = '';
        foreach ($commands as $command) {
            $bytes .= '*' . count($command) . "\r\n";
            foreach ($command as $argument) {
                self::checkSize($argument);
                $bytes .= '$' . strlen($argument) . "\r\n$argument\r\n";
            }
        }
        for ($at = 0, $size = strlen($bytes); $at < $size; $at += $written) {
            $this->allowRemainingTime();
            $written = @fwrite($this->stream, $at === 0 ? $bytes : substr($bytes, $at));
            if ($written === false || $written === 0) {
                throw $this->broken('writing');
            }
            $this->sent = true;
        }
    }

    private function receive(int $wanted): string
    {
        $this->allowRemainingTime();
        $bytes = @fread($this->stream, max(1, min($wanted, self::READ_BYTES)));
        if ($bytes === false || $bytes === '') {
            throw $this->broken('reading');
        }
        return $bytes;
    }

    private function allowRemainingTime(): void
    {
        $microseconds = (int) (($this->deadline - microtime(true)) * 1e6);
        if ($microseconds <= 0) {
            throw $this->broken('waiting');
        }
        stream_set_timeout($this->stream, intdiv($microseconds, 1_000_000), $microseconds % 1_000_000);
    }

    private function broken(string $doing): Unreachable
    {
        $late = microtime(true) >= $this->deadline || stream_get_meta_data($this->stream)['timed_out'];
        return new Unreachable($late
            ? "No answer from {$this->where} in time."
            : "The connection to {$this->where} broke while $doing.", $this->sent);
    }
}
