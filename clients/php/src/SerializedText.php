<?php

declare(strict_types=1);

namespace Cloakroom\Session;

/**
 * Finds where serialized values end, without making them: a session may have classes that do not exist here.
 *
 * References are refused. They count values from the beginning of the session, so no value with one can be moved.
 */
final class SerializedText
{
    /** @return array<string|int, string>|null serialized values by key; null: not of this form, or not safe to split */
    public static function split(string $session, string $format): ?array
    {
        return match ($format) {
            'php' => self::splitNamed($session),
            'php_serialize' => self::splitArray($session),
            default => null,
        };
    }

    /** @param array<string|int, string> $values */
    public static function join(array $values, string $format): string
    {
        $text = '';
        foreach ($values as $key => $value) {
            $key = (string) $key;
            $text .= $format === 'php' ? "$key|$value" : self::serializedKey($key) . $value;
        }
        return $format === 'php' ? $text : 'a:' . count($values) . ':{' . $text . '}';
    }

    /** @return array<string|int, string>|null */
    private static function splitNamed(string $session): ?array
    {
        $values = [];
        for ($at = 0, $size = strlen($session); $at < $size; $at = $end) {
            $bar = strpos($session, '|', $at);
            $end = $bar === false || $session[$at] === '!' ? null : self::end($session, $bar + 1);
            if ($bar === false || $end === null) {
                return null;
            }
            $values[substr($session, $at, $bar - $at)] = substr($session, $bar + 1, $end - $bar - 1);
        }
        return $values;
    }

    /** @return array<string|int, string>|null */
    private static function splitArray(string $session): ?array
    {
        if ($session === '') {
            return [];
        }
        if (preg_match('/^a:([0-9]+):\{/', $session, $found) !== 1) {
            return null;
        }
        $values = [];
        $at = strlen($found[0]);
        for ($left = (int) $found[1]; $left > 0; --$left) {
            $valueAt = self::end($session, $at);
            $end = $valueAt === null ? null : self::end($session, $valueAt);
            if ($valueAt === null || $end === null) {
                return null;
            }
            $key = self::key(substr($session, $at, $valueAt - $at));
            if ($key === null) {
                return null;
            }
            $values[$key] = substr($session, $valueAt, $end - $valueAt);
            $at = $end;
        }
        return substr($session, $at) === '}' ? $values : null;
    }

    /** Where the value ends that begins at $at; null: it is none, or has a reference. Nesting costs no stack. */
    private static function end(string $text, int $at): ?int
    {
        for ($open = 0;;) {
            $rest = substr($text, $at, 32);
            if ($open > 0 && $rest !== '' && $rest[0] === '}') {
                ++$at;
                --$open;
            } elseif (preg_match('/^(?:N|[bi]:-?[0-9]{1,20}|d:[-+.0-9A-Za-z]{1,26});/', $rest, $found) === 1) {
                $at += strlen($found[0]);
            } elseif (preg_match('/^a:[0-9]{1,9}:\{/', $rest, $found) === 1) {
                $at += strlen($found[0]);
                ++$open;
            } else {
                $after = self::endOfString($text, $at, $rest);
                if ($after === null) {
                    return null;
                }
                $at = $after;
                // An object's fields follow its class name as an array's elements do.
                if ($rest[0] === 'O') {
                    if (preg_match('/^:[0-9]{1,9}:\{/', substr($text, $at, 16), $found) !== 1) {
                        return null;
                    }
                    $at += strlen($found[0]);
                    ++$open;
                }
            }
            if ($open === 0) {
                return $at;
            }
        }
    }

    /** Where s:3:"abc"; E:3:"A:B"; O:3:"Abc" (its name) and C:3:"Abc":5:{…} end. */
    private static function endOfString(string $text, int $at, string $rest): ?int
    {
        if (preg_match('/^([sEOC]):([0-9]{1,9}):"/', $rest, $found) !== 1) {
            return null;
        }
        $at += strlen($found[0]) + (int) $found[2];
        if (($text[$at] ?? '') !== '"') {
            return null;
        }
        ++$at;
        if ($found[1] === 'O') {
            return $at;
        }
        if ($found[1] !== 'C') {
            return ($text[$at] ?? '') === ';' ? $at + 1 : null;
        }
        if (preg_match('/^:([0-9]{1,9}):\{/', substr($text, $at, 16), $size) !== 1) {
            return null;
        }
        $at += strlen($size[0]) + (int) $size[1];
        return ($text[$at] ?? '') === '}' ? $at + 1 : null;
    }

    private static function key(string $text): ?string
    {
        return match (true) {
            preg_match('/^i:(-?[0-9]+);$/D', $text, $found) === 1 => $found[1],
            preg_match('/^s:[0-9]+:"(.*)";$/Ds', $text, $found) === 1 => $found[1],
            default => null,
        };
    }

    private static function serializedKey(string $key): string
    {
        return serialize(array_key_first([$key => null]));
    }
}
