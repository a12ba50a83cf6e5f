<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Magento;

use Cloakroom\Session\Magento\SaveHandler;
use Magento\Framework\Component\ComponentRegistrar;
use PHPUnit\Framework\TestCase;

/** The files by which Magento and composer find the package. */
final class ModuleTest extends TestCase
{
    private const ROOT = __DIR__ . '/../..';

    public function testRegistrationNamesTheModuleAndItsDirectory(): void
    {
        ComponentRegistrar::$registered = [];
        require self::ROOT . '/registration.php';
        self::assertSame([['module', 'Cloakroom_Session', realpath(self::ROOT)]], ComponentRegistrar::$registered);
        self::assertSame('Cloakroom_Session', (string) $this->xml('module.xml')->module['name']);
    }

    public function testHandlerIsAddedToMagentosFactory(): void
    {
        $type = $this->xml('di.xml')->type;
        self::assertSame('Magento\Framework\Session\SaveHandlerFactory', (string) $type['name']);
        self::assertSame('handlers', (string) $type->arguments->argument['name']);
        $item = $type->arguments->argument->item;
        self::assertSame(['cloakroom', 'string'], [(string) $item['name'], (string) $item->attributes('xsi', true)]);
        self::assertSame(SaveHandler::class, (string) $item);
    }

    public function testComposerAutoloadsFromSource(): void
    {
        $composer = json_decode((string) file_get_contents(self::ROOT . '/composer.json'), true);
        self::assertSame(['cloakroom/session', 'magento2-module'], [$composer['name'], $composer['type']]);
        self::assertSame(['Cloakroom\Session\\' => 'src/'], $composer['autoload']['psr-4']);
        self::assertSame(['php' => '>=8.1'], $composer['require'], 'no extension is required');
    }

    private function xml(string $name): \SimpleXMLElement
    {
        $xml = simplexml_load_file(self::ROOT . "/etc/$name");
        self::assertNotFalse($xml);
        return $xml;
    }
}
