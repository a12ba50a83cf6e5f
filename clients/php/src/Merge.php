<?php

declare(strict_types=1);

namespace Cloakroom\Session;

/**
 * Merges two changes of one session by its top-level keys: what only I changed goes into what the other has written.
 *
 * Keys can depend on each other, so this is a choice of the shop (on_fenced), and not the default.
 */
final class Merge
{
    /**
     * @param string $base what I read first
     * @param string $mine what I would have written
     * @param string $theirs what is there now
     * @param string $format session.serialize_handler: php or php_serialize
     * @return string|null null: both changed the same key, or one of the three cannot be split into its keys
     */
    public static function threeWay(string $base, string $mine, string $theirs, string $format): ?string
    {
        $before = SerializedText::split($base, $format);
        $ours = SerializedText::split($mine, $format);
        $merged = SerializedText::split($theirs, $format);
        if ($before === null || $ours === null || $merged === null) {
            return null;
        }
        foreach (array_keys($before + $ours) as $key) {
            $value = $ours[$key] ?? null;
            $old = $before[$key] ?? null;
            $new = $merged[$key] ?? null;
            if ($value === $old || $value === $new) {
                continue;
            }
            if ($new !== $old) {
                return null;
            }
            if ($value === null) {
                unset($merged[$key]);
            } else {
                $merged[$key] = $value;
            }
        }
        return SerializedText::join($merged, $format);
    }
}
