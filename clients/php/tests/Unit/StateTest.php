<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Unit;

use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\State;
use Cloakroom\Session\Visit;
use Cloakroom\Session\Request;
use PHPUnit\Framework\TestCase;

final class StateTest extends TestCase
{
    public function testReadsTheSixPlaces(): void
    {
        $state = State::fromReply([3678208000012345, 'n|i:1;', 7, '7-3678207990077001', 3412345, 'web1|5 9ms GET /a']);
        self::assertSame(3678208000012345, $state->fence);
        self::assertSame('n|i:1;', $state->data);
        self::assertSame(7, $state->writes);
        self::assertSame('7-3678207990077001', $state->version);
        self::assertSame(3412345, $state->ttlMs);
        self::assertSame('web1|5 9ms GET /a', $state->broke);
        self::assertTrue($state->isLocked());
        self::assertTrue($state->exists());
    }

    public function testLaterElementsAreAllowed(): void
    {
        self::assertSame(1, State::fromReply([1, null, 0, '0-0', -2, null, 'new'])->fence);
    }

    public function testFenceZeroIsNoLockAndNothingThereIsNoSession(): void
    {
        $state = State::fromReply([0, null, 0, State::ABSENT, -2, null]);
        self::assertFalse($state->isLocked());
        self::assertFalse($state->exists());
    }

    public function testUnchangedDataIsTakenFromWhatIsKnown(): void
    {
        $known = new State(0, 'n|i:1;', 7, '7-1', 1000);
        self::assertSame('n|i:1;', State::fromReply([5, null, 7, '7-1', 900, null], $known)->data);
        self::assertSame('n|i:2;', State::fromReply([5, 'n|i:2;', 8, '8-2', 900, null], $known)->data);
        self::assertNull(State::fromReply([5, null, 0, '0-0', -2, null], $known)->data);
    }

    /** @return iterable<string, array{mixed}> */
    public static function nonsense(): iterable
    {
        yield 'text' => ['OK'];
        yield 'null' => [null];
        yield 'short' => [[1, null, 0, '0-0', -2]];
        yield 'fence as text' => [['1', null, 0, '0-0', -2, null]];
        yield 'data as number' => [[1, 5, 0, '0-0', -2, null]];
        yield 'version missing' => [[1, null, 0, null, -2, null]];
    }

    /** @dataProvider nonsense */
    public function testOtherRepliesAreRefused(mixed $reply): void
    {
        $this->expectException(Refused::class);
        State::fromReply($reply);
    }

    public function testAVisitKnowsWhetherItsDataHasChangedAlsoWhenItIsLarge(): void
    {
        foreach (['', 'n|i:1;', str_repeat('x', 70000)] as $data) {
            foreach ([false, true] as $keepsAll) {
                $visit = new Visit('id', 'sess_id', new Request('h|1', ''), new State(1, $data), $data, $keepsAll);
                self::assertTrue($visit->isUnchanged($data));
                self::assertFalse($visit->isUnchanged($data . 'y'));
            }
        }
    }

    public function testRequestIsReadFromTheServerVariables(): void
    {
        $request = Request::fromServer([
            'REQUEST_METHOD' => 'GET', 'SERVER_NAME' => 'shop.example', 'REQUEST_URI' => '/cart/?token=1',
            'HTTP_USER_AGENT' => 'Firefox',
        ]);
        self::assertSame(gethostname() . '|' . getmypid(), $request->owner);
        self::assertSame('GET shop.example/cart/?token=1', $request->line);
        self::assertSame('GET shop.example/cart/', $request->page());
        self::assertSame('/cart/', $request->path);
        self::assertSame('Firefox', $request->userAgent);
        self::assertSame('bin/magento', Request::fromServer(['SCRIPT_NAME' => 'bin/magento'])->line);
    }
}
