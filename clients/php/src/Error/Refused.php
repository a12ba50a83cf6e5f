<?php

declare(strict_types=1);

namespace Cloakroom\Session\Error;

use Cloakroom\Session\Wire\ErrorReply;

/** The server answered an error for which this package has no other way: OOM, READONLY, NOAUTH, WRONGTYPE and so on. */
final class Refused extends SessionError
{
    public function __construct(string $message, private readonly ?ErrorReply $reply = null)
    {
        parent::__construct($message);
    }

    public static function reply(string $command, ErrorReply $reply): self
    {
        return new self("The session server refused $command: {$reply->message}", $reply);
    }

    /** A replica answered: the primary is elsewhere now. */
    public function isFromReplica(): bool
    {
        return $this->reply?->code() === 'READONLY';
    }

    /** The server has no SESSION commands, or its ACL hides them from this user. */
    public function isWithoutSessions(): bool
    {
        return $this->reply !== null && ($this->reply->isUnknownCommand() || $this->reply->code() === 'NOPERM');
    }
}
