<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Stores;

use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\NativeStore;
use Cloakroom\Session\PlainStore;
use Cloakroom\Session\Request;
use Cloakroom\Session\Settings;
use Cloakroom\Session\StoreChooser;
use Cloakroom\Session\StoreFactory;
use Cloakroom\Session\Tests\Support\FakeWire;
use Cloakroom\Session\Wire\ErrorReply;
use PHPUnit\Framework\TestCase;

final class StoreChooserTest extends TestCase
{
    private const NATIVE = [77, 'n|i:1;', 7, '7-70', 3412345, null];

    private float $now = 1000.0;

    public function testNativeWhileTheServerHasTheCommands(): void
    {
        $wire = new FakeWire([['OK', self::NATIVE], [8]]);
        $store = $this->chooser($wire);
        $state = $store->open('sess_a', self::request());
        self::assertFalse($store->alwaysWrites());
        $store->commit('sess_a', self::request(), $state, null, 60);
        self::assertSame('SESSION.COMMIT sess_a 77 EX 60 IF 7-70', $wire->sent[1]);
    }

    public function testPlainForAMinuteWhenItHasNot(): void
    {
        $plain = [['OK'], [1], [['x', '1']], ['OK', 1]];
        $wire = new FakeWire([['OK', self::unknown()], ...$plain, ...$plain, [self::NATIVE]]);
        $store = $this->chooser($wire);
        self::assertSame(1, $store->open('sess_a', self::request())->fence);
        self::assertTrue($store->alwaysWrites());
        $this->now += 59.9;
        $store->open('sess_a', self::request());
        $this->now += 0.2;
        self::assertSame(77, $store->open('sess_a', self::request())->fence);
        $wire->assertDone();
    }

    public function testReadAndDestroyChooseToo(): void
    {
        $wire = new FakeWire([['OK', self::unknown()], ['OK', 1], ['OK'], [['x', '1']], [1]]);
        $store = $this->chooser($wire);
        $store->destroy('sess_a');
        self::assertSame('x', $store->read('sess_a')->data);
        self::assertStringEndsWith('UNLINK sess_a', $wire->sent[1]);
    }

    public function testOtherErrorsAreNoReasonForThePlainStore(): void
    {
        $wire = new FakeWire([['OK', new ErrorReply('MISCONF Errors writing to disk')]]);
        $this->expectException(Refused::class);
        $this->chooser($wire)->open('sess_a', self::request());
    }

    public function testModeDecides(): void
    {
        $wire = new FakeWire([]);
        self::assertInstanceOf(StoreChooser::class, StoreFactory::create(new Settings([]), $wire));
        self::assertInstanceOf(NativeStore::class, StoreFactory::create(new Settings(['mode' => 'native']), $wire));
        self::assertInstanceOf(PlainStore::class, StoreFactory::create(new Settings(['mode' => 'plain']), $wire));
        foreach (['auto', 'native'] as $mode) {
            $unlocked = new Settings(['mode' => $mode], inherited: ['disable_locking' => '1']);
            self::assertInstanceOf(PlainStore::class, StoreFactory::create($unlocked, $wire));
        }
    }

    private function chooser(FakeWire $wire): StoreChooser
    {
        $settings = new Settings(['database' => '2']);
        $sleep = static fn (int $microseconds) => null;
        return new StoreChooser(
            new NativeStore($wire, $settings, $sleep, fn (): float => $this->now),
            new PlainStore($wire, $settings, $sleep),
            'test-' . spl_object_id($wire),
            fn (): float => $this->now
        );
    }

    private static function unknown(): ErrorReply
    {
        return new ErrorReply("ERR unknown command 'SESSION.OPEN', with args beginning with: 'sess_a' ");
    }

    private static function request(): Request
    {
        return new Request('web1|5', 'GET shop/cart/');
    }
}
