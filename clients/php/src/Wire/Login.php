<?php

declare(strict_types=1);

namespace Cloakroom\Session\Wire;

use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\Error\Unreachable;

/**
 * What is said first on a new connection: the password, and behind Sentinel the question whether this is the primary.
 *
 * It travels in one write with the first batch. A replica may thus receive that batch; it refuses every write.
 */
final class Login
{
    public function __construct(
        private readonly string $username,
        private readonly string $password,
        private readonly bool $asksRole
    ) {
    }

    /** @return list<list<string>> */
    public function commands(): array
    {
        $commands = $this->password === '' ? [] : [self::auth($this->username, $this->password)];
        return $this->asksRole ? [...$commands, ['ROLE']] : $commands;
    }

    /** @return list<string> */
    public static function auth(string $username, string $password): array
    {
        return $username === '' ? ['AUTH', $password] : ['AUTH', $username, $password];
    }

    /**
     * @param list<mixed> $replies to commands()
     * @throws Refused
     * @throws Unreachable
     */
    public function check(array $replies, Address $address): void
    {
        if ($this->password !== '') {
            $auth = array_shift($replies);
            if ($auth instanceof ErrorReply) {
                throw new Refused("{$address->url()} refused the password: {$auth->message}. Compare username and "
                    . 'password with the server\'s requirepass or ACL.', $auth);
            }
        }
        if ($this->asksRole) {
            $role = array_shift($replies);
            if (!is_array($role) || ($role[0] ?? null) !== 'master') {
                $said = $role instanceof ErrorReply ? $role->message : (is_array($role) ? $role[0] ?? '' : '');
                throw new Unreachable("{$address->url()} is not the primary, although Sentinel names it: "
                    . (is_string($said) ? $said : ''));
            }
        }
    }
}
