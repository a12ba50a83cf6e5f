<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Unit;

use PHPUnit\Framework\TestCase;

/** What a static analyser would ask for first: every value has a type, and every array says of what. */
final class TypesTest extends TestCase
{
    /** @return iterable<string, array{class-string}> */
    public static function classes(): iterable
    {
        $source = dirname(__DIR__, 2) . '/src';
        foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator($source)) as $file) {
            if (str_ends_with((string) $file, '.php')) {
                $name = strtr(substr((string) $file, strlen($source) + 1, -4), '/', '\\');
                yield $name => ["Cloakroom\\Session\\$name"];
            }
        }
    }

    /**
     * @dataProvider classes
     * @param class-string $name
     */
    public function testEveryValueHasAType(string $name): void
    {
        $class = new \ReflectionClass($name);
        self::assertFalse($class->isInternal());
        foreach (self::ownMethods($class) as $method) {
            $where = "$name::{$method->getName()}";
            foreach ($method->getParameters() as $parameter) {
                self::assertNotNull($parameter->getType(), "$where, \${$parameter->getName()}");
                if (self::isArray($parameter->getType())) {
                    $pattern = '/@param [^\n]*(list<|array<)[^\n]* \$' . $parameter->getName() . '\b/';
                    self::assertMatchesRegularExpression($pattern, self::comment($class, $method), $where);
                }
            }
            if (!$method->isConstructor()) {
                self::assertNotNull($method->getReturnType(), $where);
            }
            if (self::isArray($method->getReturnType())) {
                $comment = self::comment($class, $method);
                self::assertMatchesRegularExpression('/@return .*(list|array)</', $comment, $where);
            }
        }
        foreach ($class->getProperties() as $property) {
            if ($property->getDeclaringClass()->isInternal()) {
                continue;
            }
            // SocketWire's stream: PHP has no word for the type resource.
            if ($property->getType() === null) {
                self::assertStringContainsString('@var resource', (string) $property->getDocComment());
            } elseif (self::isArray($property->getType()) && !$property->isPromoted()) {
                self::assertMatchesRegularExpression('/@var (list|array)</', (string) $property->getDocComment());
            }
        }
    }

    /**
     * @dataProvider classes
     * @param class-string $name
     */
    public function testEveryImportIsUsed(string $name): void
    {
        $text = (string) file_get_contents((string) (new \ReflectionClass($name))->getFileName());
        preg_match_all('/^use ([\w\\\\]+);$/m', $text, $found);
        $rest = (string) preg_replace('/^use .*;$/m', '', $text);
        foreach ($found[1] as $import) {
            self::assertMatchesRegularExpression('/\b' . basename(strtr($import, '\\', '/')) . '\b/', $rest, $import);
        }
        self::assertStringContainsString("\ndeclare(strict_types=1);\n", $text);
    }

    /**
     * @param \ReflectionClass<object> $class
     * @return list<\ReflectionMethod>
     */
    private static function ownMethods(\ReflectionClass $class): array
    {
        $isOwn = static fn (\ReflectionMethod $method): bool => $method->getFileName() === $class->getFileName();
        return array_values(array_filter($class->getMethods(), $isOwn));
    }

    private static function isArray(?\ReflectionType $type): bool
    {
        return $type !== null && preg_match('/\barray\b/', (string) $type) === 1;
    }

    /**
     * That of the method, or of the interface or parent that declares it first.
     *
     * @param \ReflectionClass<object> $class
     */
    private static function comment(\ReflectionClass $class, \ReflectionMethod $method): string
    {
        $comments = (string) $method->getDocComment();
        $parent = $class->getParentClass();
        foreach ([...$class->getInterfaces(), ...($parent ? [$parent] : [])] as $above) {
            if ($above->hasMethod($method->getName())) {
                $comments .= (string) $above->getMethod($method->getName())->getDocComment();
            }
        }
        return $comments;
    }
}
