<?php

declare(strict_types=1);

namespace Cloakroom\Session;

use Cloakroom\Session\Error\Refused;

/** A session as a store has found it, and whether this request may write it. */
final class State
{
    /** The version of a session that does not exist. */
    public const ABSENT = '0-0';

    /**
     * @param int $fence the number of this lock; 0: no lock is held, so nothing may be written
     * @param string|null $data as stored, maybe compressed; null: there is none
     * @param int $writes how often the session was written
     * @param string $version by what the server knows this content; '' in a plain store
     * @param int $ttlMs as PTTL says it: -1 without an expiry, -2 without a session
     * @param string|null $broke whose lock was taken over for this one, how long it was held, and its page
     * @param string|null $refusal why there is no lock although one was asked for
     */
    public function __construct(
        public readonly int $fence,
        public readonly ?string $data,
        public readonly int $writes = 0,
        public readonly string $version = '',
        public readonly int $ttlMs = -2,
        public readonly ?string $broke = null,
        public readonly ?string $refusal = null
    ) {
    }

    /**
     * Reads what SESSION.OPEN and SESSION.READ answer.
     *
     * @param State|null $known what IFCHANGED named: its data is taken when the server says that it is still the same
     * @throws Refused when the reply is none of these
     */
    public static function fromReply(mixed $reply, ?State $known = null, ?string $refusal = null): self
    {
        // A later server may append elements.
        if (!is_array($reply) || count($reply) < 6) {
            throw new Refused('The session server answered something else than a session.');
        }
        [$fence, $data, $writes, $version, $ttlMs, $broke] = $reply;
        if (
            !is_int($fence) || !is_int($writes) || !is_int($ttlMs) || !is_string($version)
            || !($data === null || is_string($data)) || !($broke === null || is_string($broke))
        ) {
            throw new Refused('The session server answered a session with a wrong type in it.');
        }
        if ($known !== null && $data === null && $version === $known->version) {
            $data = $known->data;
        }
        return new self($fence, $data, $writes, $version, $ttlMs, $broke, $refusal);
    }

    public function isLocked(): bool
    {
        return $this->fence !== 0;
    }

    public function exists(): bool
    {
        return $this->data !== null || $this->writes > 0;
    }
}
