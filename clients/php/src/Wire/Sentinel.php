<?php

declare(strict_types=1);

namespace Cloakroom\Session\Wire;

use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\Error\SessionError;
use Cloakroom\Session\Error\Unreachable;

/** Asks Sentinels for the primary's address, one after the other until one knows it. */
final class Sentinel
{
    public const PORT = 26379;

    /**
     * @param list<Address> $sentinels
     * @param float $timeoutS for the connection to one Sentinel and its answer
     * @param array<string, mixed> $tls
     */
    public function __construct(
        private readonly array $sentinels,
        private readonly string $primary,
        private readonly string $username,
        private readonly string $password,
        private readonly float $timeoutS,
        private readonly array $tls = []
    ) {
    }

    /**
     * @param float $withinS a Sentinel that does not answer leaves each of the next its share of that
     * @throws Unreachable with the reason of each Sentinel
     */
    public function locate(float $withinS): Address
    {
        $until = microtime(true) + $withinS;
        $reasons = [];
        foreach ($this->sentinels as $at => $sentinel) {
            $shareS = ($until - microtime(true)) / (count($this->sentinels) - $at);
            try {
                return $this->ask($sentinel, min($this->timeoutS, $shareS));
            } catch (SessionError $failure) {
                $reasons[] = $failure->getMessage();
            }
        }
        throw new Unreachable("No Sentinel names a primary of \"{$this->primary}\": " . implode(' ', $reasons));
    }

    private function ask(Address $sentinel, float $timeoutS): Address
    {
        $wire = new SocketWire(fn (): Address => $sentinel, new Login('', '', false), $timeoutS, $this->tls);
        $question = ['SENTINEL', 'get-master-addr-by-name', $this->primary];
        $auth = $this->password === '' ? [] : [Login::auth($this->username, $this->password)];
        try {
            // A Sentinel without a password answers AUTH with an error, and the question all the same.
            $replies = $wire->batch([...$auth, $question], $timeoutS, $timeoutS);
        } finally {
            $wire->disconnect();
        }
        $answer = end($replies);
        if ($answer instanceof ErrorReply) {
            throw Refused::reply("SENTINEL at {$sentinel->url()}", $answer);
        }
        if (!is_array($answer) || !is_string($answer[0] ?? null) || (int) ($answer[1] ?? 0) < 1) {
            throw new Unreachable("{$sentinel->url()} knows no primary of that name.");
        }
        return new Address($answer[0], (int) $answer[1], $sentinel->tls);
    }
}
