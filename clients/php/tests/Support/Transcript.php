<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Support;

/** Traffic of the unmodified library that was recorded; tests/integration/transcripts/README.md has the format. */
final class Transcript
{
    /** @return list<array{c: int, p: int, q: list<string>, r: mixed, nd: string}> the requests, in order */
    public static function load(string $name): array
    {
        $path = dirname(__DIR__, 4) . "/tests/integration/transcripts/$name.jsonl";
        $values = [];
        $requests = [];
        foreach (array_slice((array) file($path), 1) as $line) {
            $event = json_decode((string) $line, true, 16, JSON_THROW_ON_ERROR);
            if (isset($event['val'])) {
                $packed = isset($event['z']) ? gzuncompress((string) base64_decode($event['z'])) : $event['s'];
                $values[$event['val']] = $packed;
            } elseif (isset($event['q'])) {
                $requests[] = [
                    'c' => $event['c'],
                    'p' => $event['p'] ?? 0,
                    'q' => array_map(static fn (mixed $item): string => self::value($item, $values), $event['q']),
                    'r' => self::value($event['r'], $values),
                    'nd' => $event['nd'] ?? '',
                ];
            }
        }
        return $requests;
    }

    /** @param array<int, string> $values */
    private static function value(mixed $item, array $values): mixed
    {
        return match (true) {
            !is_array($item) => $item,
            array_is_list($item) => array_map(static fn (mixed $one): mixed => self::value($one, $values), $item),
            isset($item['b']) => base64_decode($item['b']),
            isset($item['$']) => $values[$item['$']],
            isset($item['-']) => "-{$item['-']}",
            default => $item['+'],
        };
    }
}
