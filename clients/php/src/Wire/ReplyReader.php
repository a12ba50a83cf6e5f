<?php

declare(strict_types=1);

namespace Cloakroom\Session\Wire;

use Cloakroom\Session\Error\Unreachable;

/** Turns the bytes of a RESP2 stream into replies, however the bytes are cut into packets. */
final class ReplyReader
{
    /** Sessions have a few KB, in an admin's worst case some MB. More than this is damage, or an attack. */
    public const MAX_BULK_BYTES = 64 << 20;
    private const MAX_LINE_BYTES = 64 << 10;
    private const MAX_ELEMENTS = 1 << 16;
    private const MAX_DEPTH = 8;

    private string $buffer = '';

    /** Where the unread bytes begin. */
    private int $at = 0;

    /** @param \Closure(int): string $more blocks for at least one byte; the number says how many would be welcome */
    public function __construct(private readonly \Closure $more)
    {
    }

    /**
     * @return string|int|null|list<mixed>|ErrorReply
     * @throws Unreachable when the bytes are not RESP2 or too many
     */
    public function next(int $depth = 0): string|int|null|array|ErrorReply
    {
        $line = $this->line();
        $rest = substr($line, 1);
        return match ($line[0] ?? '') {
            '+' => $rest,
            '-' => new ErrorReply($rest),
            ':' => self::integer($rest),
            '$' => $this->bulk(self::integer($rest)),
            '*' => $this->elements(self::integer($rest), $depth),
            default => throw self::damaged('a reply begins with ' . json_encode(substr($line, 0, 16))),
        };
    }

    private function bulk(int $length): ?string
    {
        if ($length === -1) {
            return null;
        }
        if ($length < 0 || $length > self::MAX_BULK_BYTES) {
            throw self::damaged("a string of $length bytes, the most is " . self::MAX_BULK_BYTES);
        }
        $parts = [substr($this->buffer, $this->at, $length)];
        $missing = $length - strlen($parts[0]);
        $this->at += strlen($parts[0]);
        while ($missing > 0) {
            $this->fill($missing + 2);
            $part = substr($this->buffer, 0, $missing);
            $this->at = strlen($part);
            $missing -= strlen($part);
            $parts[] = $part;
        }
        if ($this->line() !== '') {
            throw self::damaged('a string is longer than it says');
        }
        return implode('', $parts);
    }

    /** @return list<mixed>|null */
    private function elements(int $count, int $depth): ?array
    {
        if ($count === -1) {
            return null;
        }
        if ($count < 0 || $count > self::MAX_ELEMENTS || $depth >= self::MAX_DEPTH) {
            throw self::damaged("an array of $count elements at depth $depth");
        }
        $elements = [];
        while (count($elements) < $count) {
            $elements[] = $this->next($depth + 1);
        }
        return $elements;
    }

    private function line(): string
    {
        while (($end = strpos($this->buffer, "\r\n", $this->at)) === false) {
            if (strlen($this->buffer) - $this->at > self::MAX_LINE_BYTES) {
                throw self::damaged('a line has no end');
            }
            $this->fill(self::MAX_LINE_BYTES);
        }
        $line = substr($this->buffer, $this->at, $end - $this->at);
        $this->at = $end + 2;
        return $line;
    }

    private function fill(int $wanted): void
    {
        $this->buffer = substr($this->buffer, $this->at) . ($this->more)($wanted);
        $this->at = 0;
    }

    private static function integer(string $text): int
    {
        if (preg_match('/^[+-]?[0-9]{1,19}$/D', $text) !== 1) {
            throw self::damaged('not a number: ' . json_encode(substr($text, 0, 32)));
        }
        return (int) $text;
    }

    private static function damaged(string $what): Unreachable
    {
        return new Unreachable("The session server's answer cannot be read: $what. Is it a Redis server?", true);
    }
}
