<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Stores;

use Cloakroom\Session\Error\Fenced;
use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\Error\TooMany;
use Cloakroom\Session\Error\Unreachable;
use Cloakroom\Session\Handler;
use Cloakroom\Session\Settings;
use Cloakroom\Session\StoreFactory;
use Cloakroom\Session\Tests\Support\FakeWire;
use Cloakroom\Session\Tests\Support\Log;
use Cloakroom\Session\Wire\ErrorReply;
use PHPUnit\Framework\TestCase;

/** The handler over a native store, called as PHP calls it. */
final class HandlerTest extends TestCase
{
    private const HELD = [77, 'n|i:1;', 7, '7-70', 3412345, null];
    private const COMMIT = 'SESSION.COMMIT sess_a 77 DATA n|i:2; EX 3600 IF 7-70';
    private const RELEASE = 'SESSION.RELEASE sess_a 77';

    private FakeWire $wire;
    private Log $log;

    protected function setUp(): void
    {
        $_SERVER['HTTP_USER_AGENT'] = 'Mozilla/5.0 Firefox/130';
        $_SERVER['REQUEST_METHOD'] = 'GET';
        $_SERVER['SERVER_NAME'] = 'shop';
        $_SERVER['REQUEST_URI'] = '/cart/';
    }

    protected function tearDown(): void
    {
        unset($_SERVER['HTTP_USER_AGENT'], $_SERVER['REQUEST_METHOD']);
        unset($_SERVER['SERVER_NAME'], $_SERVER['REQUEST_URI']);
    }

    public function testAVisitIsTwoCommands(): void
    {
        $handler = $this->handler([[self::HELD], [8]]);
        self::assertTrue($handler->open('', 'PHPSESSID'));
        self::assertSame('n|i:1;', $handler->read('a'));
        self::assertTrue($handler->write('a', 'n|i:2;'));
        self::assertTrue($handler->close());
        self::assertStringStartsWith('SESSION.OPEN sess_a ', $this->wire->sent[0]);
        self::assertSame([self::COMMIT], array_slice($this->wire->sent, 1));
        self::assertSame([], $this->log->lines);
        self::assertSame(0, $handler->gc(1440));
    }

    public function testUnchangedDataIsNotSent(): void
    {
        foreach (['write', 'updateTimestamp'] as $method) {
            $handler = $this->handler([[self::HELD], [8]]);
            self::assertTrue($handler->$method('a', $handler->read('a')));
            self::assertSame('SESSION.COMMIT sess_a 77 EX 3600 IF 7-70', $this->wire->sent[1]);
        }
    }

    public function testLargeDataIsComparedByItsHash(): void
    {
        $large = str_repeat('x', 100_000);
        $handler = $this->handler([[[77, ':gz:' . gzcompress($large, 1), 7, '7-70', 1, null]], [8]]);
        self::assertSame($large, $handler->read('a'));
        $handler->write('a', $large);
        self::assertSame('SESSION.COMMIT sess_a 77 EX 3600 IF 7-70', $this->wire->sent[1]);
    }

    public function testLargeDataIsCompressed(): void
    {
        $handler = $this->handler([[self::HELD], [8]]);
        $handler->read('a');
        $handler->write('a', $large = str_repeat('x', 3000));
        self::assertStringContainsString(' DATA :gz:' . gzcompress($large, 1) . ' EX ', $this->wire->sent[1]);
    }

    public function testCloseWithoutAWriteReleases(): void
    {
        $handler = $this->handler([[self::HELD], [1]]);
        $handler->read('a');
        $handler->close();
        $handler->close();
        self::assertSame(self::RELEASE, $this->wire->sent[1]);
    }

    public function testOpeningAnotherSessionReleasesTheFirst(): void
    {
        $handler = $this->handler([[self::HELD], [1], [self::HELD], [1]]);
        $handler->read('a');
        $handler->read('b');
        self::assertSame(self::RELEASE, $this->wire->sent[1]);
        $handler->close();
    }

    public function testValidateIdOpensAndReadDoesNotAskAgain(): void
    {
        $handler = $this->handler([[self::HELD], [8]]);
        self::assertTrue($handler->validateId('a'));
        self::assertSame('n|i:1;', $handler->read('a'));
        $handler->write('a', 'n|i:2;');
        self::assertCount(2, $this->wire->sent);
    }

    public function testUnknownIdIsInvalidAndItsLockIsGivenBack(): void
    {
        $handler = $this->handler([[[77, null, 0, '0-0', -2, null]], [1], [[78, null, 0, '0-0', -2, null]], [1]]);
        self::assertFalse($handler->validateId('a'));
        self::assertSame('', $handler->read('b'));
        self::assertSame(self::RELEASE, $this->wire->sent[1]);
        $handler->close();
    }

    public function testReadOnlyPathReadsAndProlongsWhenHalfIsLeft(): void
    {
        $handler = $this->handler(
            [[[0, 'x', 7, '7-70', 1_900_000, null]], [[0, 'x', 7, '7-70', 1_700_000, null]], [1]],
            ['read_only_paths' => ['/cart/']]
        );
        self::assertSame('x', $handler->read('a'));
        $handler->close();
        $handler->read('a');
        self::assertTrue($handler->write('a', 'x'));
        $handler->close();
        self::assertSame(
            ['SESSION.READ sess_a', 'SESSION.READ sess_a', 'EXPIRE sess_a 3600 GT'],
            $this->wire->sent
        );
        self::assertSame([], $this->log->lines);
    }

    public function testReadOnlyChangesAreNotWrittenAndNotSilent(): void
    {
        $handler = $this->handler([[[0, 'x', 7, '7-70', 3_000_000, null]]]);
        $handler->setReadOnly(true);
        $handler->read('a');
        self::assertTrue($handler->write('a', 'y'));
        self::assertStringStartsWith('warning: ', $this->log->text());
        self::assertStringContainsString('changes of session a… are lost', $this->log->text());
    }

    public function testLockAfterReadingAsksForChangesOnly(): void
    {
        $same = [[77, null, 7, '7-70', 1000, null], 'x', false];
        $other = [[77, 'y', 8, '8-71', 1000, null], 'y', true];
        foreach ([$same, $other] as [$reply, $data, $changed]) {
            $handler = $this->handler([[[0, 'x', 7, '7-70', 3_000_000, null]], [$reply], [1]]);
            $handler->setReadOnly(true);
            $handler->read('a');
            $handler->close();
            $handler->setReadOnly(false);
            self::assertSame($data, $handler->read('a'));
            self::assertStringEndsWith(' IFCHANGED 7-70', $this->wire->sent[1]);
            self::assertSame($changed, $handler->changedSinceRead());
            $handler->close();
        }
    }

    public function testLockedSessionIsReadAndItsLostChangesAreCritical(): void
    {
        $locked = new ErrorReply('LOCKED web1|9 holds it for 45001 ms, 2 wait before you');
        $handler = $this->handler([[$locked], [[0, 'x', 7, '7-70', 1, null]]]);
        self::assertSame('x', $handler->read('a'));
        self::assertTrue($handler->write('a', 'y'));
        $handler->close();
        self::assertStringStartsWith('warning: ', $this->log->lines[0]);
        self::assertStringStartsWith('critical: ', $this->log->lines[1]);
        self::assertStringContainsString('LOCKED web1|9', $this->log->lines[1]);
    }

    public function testBrokenLockIsNoted(): void
    {
        $handler = $this->handler([[[77, 'x', 7, '7-70', 1, 'web1|9 5003ms GET /checkout']], [1]]);
        $handler->read('a');
        $handler->close();
        self::assertStringContainsString('took over the lock of web1|9 5003ms GET /checkout', $this->log->text());
    }

    public function testTooManyIsThrownOn(): void
    {
        $handler = $this->handler([[new ErrorReply('TOOMANY 20 wait already')]]);
        $this->expectException(TooMany::class);
        $handler->read('a');
    }

    public function testFencedIsCriticalWithBothRequestsAndNoWarningOfPhp(): void
    {
        $info = ['state', 'held', 'owner', 'web3|9', 'req', 'GET /checkout'];
        $handler = $this->handler([[self::HELD], [new ErrorReply('FENCED broken by web3|9 after 30004 ms')], [$info]]);
        $handler->read('a');
        self::assertTrue($handler->write('a', 'n|i:2;'));
        $handler->close();
        $line = $this->log->text();
        self::assertStringStartsWith('critical: ' . gethostname() . '|' . getmypid() . ' GET shop/cart/', $line);
        self::assertStringContainsString('FENCED broken by web3|9 after 30004 ms', $line);
        self::assertStringEndsWith('Now: web3|9 GET /checkout', $line);
    }

    public function testFencedWithoutAChangeLosesNothing(): void
    {
        $handler = $this->handler([[self::HELD], [new ErrorReply('FENCED deleted')]]);
        $handler->read('a');
        self::assertTrue($handler->write('a', 'n|i:1;'));
        self::assertSame([], $this->log->lines);
    }

    public function testFencedMayFail(): void
    {
        $fenced = new ErrorReply('FENCED deleted');
        $handler = $this->handler([[self::HELD], [$fenced], [['state', 'free']]], ['on_fenced' => 'fail']);
        $handler->read('a');
        $this->expectException(Fenced::class);
        $handler->write('a', 'n|i:2;');
    }

    public function testFencedMayMerge(): void
    {
        $handler = $this->handler([
            [[77, 'n|i:1;c|i:1;', 7, '7-70', 1, null]],
            [new ErrorReply('FENCED broken by web3|9 after 30004 ms')],
            [[90, 'n|i:1;c|i:5;', 8, '8-80', 1, null]],
            [9],
        ], ['on_fenced' => 'merge']);
        $handler->read('a');
        self::assertTrue($handler->write('a', 'n|i:2;c|i:1;'));
        $handler->close();
        self::assertSame('SESSION.COMMIT sess_a 90 DATA n|i:2;c|i:5; EX 3600 IF 8-80', $this->wire->sent[3]);
        self::assertCount(4, $this->wire->sent);
        self::assertStringStartsWith('notice: ', $this->log->text());
    }

    public function testWriteBesideTheLockThatChangedNoContentCostsNothing(): void
    {
        foreach (['n|i:1;', str_repeat('x', 100_000)] as $content) {
            $handler = $this->handler([
                [[77, $content, 7, '7-70', 1, null]],
                [new ErrorReply('FENCED changed after 1 ms')],
                [[90, $content, 8, '8-0', 1, null]],
                [9],
            ]);
            $handler->read('a');
            self::assertTrue($handler->write('a', 'n|i:2;'));
            $handler->close();
            self::assertSame('SESSION.COMMIT sess_a 90 DATA n|i:2; EX 3600 IF 8-0', $this->wire->sent[3]);
            self::assertStringStartsWith('notice: ', $this->log->text());
        }
    }

    public function testWriteBesideTheLockThatChangedTheContentIsNotOverwritten(): void
    {
        $handler = $this->handler([
            [self::HELD], [new ErrorReply('FENCED changed')], [[90, 'n|i:9;', 8, '8-0', 1, null]], [1],
            [['state', 'free']],
        ]);
        $handler->read('a');
        self::assertTrue($handler->write('a', 'n|i:2;'));
        $handler->close();
        self::assertSame('SESSION.RELEASE sess_a 90', $this->wire->sent[3]);
        self::assertStringContainsString('FENCED changed; not written again: others changed', $this->log->text());
    }

    /** @return iterable<string, array{list<list<mixed>>, string, list<string>}> replies after FENCED, why, sent */
    public static function conflicts(): iterable
    {
        yield 'same key' => [[[[90, 'n|i:9;', 8, '8-80', 1, null]], [1]], 'others changed the same', [
            'SESSION.RELEASE sess_a 90',
        ]];
        yield 'gone' => [[[[90, null, 0, '0-0', -2, null]], [1]], 'the session is gone', ['SESSION.RELEASE sess_a 90']];
        yield 'fenced again' => [
            [[[90, 'n|i:1;', 8, '8-80', 1, null]], [new ErrorReply('FENCED deleted')], [0]],
            'not written again: FENCED deleted',
            ['SESSION.COMMIT sess_a 90 DATA n|i:2; EX 3600 IF 8-80', 'SESSION.RELEASE sess_a 90'],
        ];
        yield 'no lock' => [
            [[new ErrorReply('LOCKED web9|1 holds it')], [[0, 'n|i:1;', 8, '8-80', 1, null]]],
            'not written again: LOCKED web9|1 holds it',
            ['SESSION.READ sess_a'],
        ];
    }

    /**
     * @dataProvider conflicts
     * @param list<list<mixed>> $replies
     * @param list<string> $sent
     */
    public function testConflictIsCriticalAndLeavesNoLock(array $replies, string $why, array $sent): void
    {
        $handler = $this->handler(
            [[self::HELD], [new ErrorReply('FENCED changed')], ...$replies, [['state', 'free']]],
            ['on_fenced' => 'merge']
        );
        $handler->read('a');
        self::assertTrue($handler->write('a', 'n|i:2;'));
        $handler->close();
        $this->wire->assertDone();
        self::assertSame($sent, array_slice($this->wire->sent, 3, -1));
        self::assertStringContainsString("critical: ", $this->log->text());
        self::assertStringContainsString($why, $this->log->text());
    }

    public function testRefusedWriteReleasesAndThrows(): void
    {
        $handler = $this->handler([[self::HELD], [new ErrorReply('OOM command not allowed')], [1]]);
        $handler->read('a');
        try {
            $handler->write('a', 'n|i:2;');
            self::fail('the write is lost');
        } catch (Refused) {
            self::assertSame(self::RELEASE, $this->wire->sent[2]);
            self::assertStringStartsWith('critical: ', $this->log->text());
        }
        $handler->close();
        self::assertCount(3, $this->wire->sent);
    }

    public function testUnreachableWriteThrowsAndIsCritical(): void
    {
        $lost = new Unreachable('broke', true);
        $handler = $this->handler([[self::HELD], $lost, $lost]);
        $handler->read('a');
        try {
            $handler->write('a', 'n|i:2;');
            self::fail('nobody knows whether it is written');
        } catch (Unreachable) {
            self::assertStringContainsString('was not written, or nobody knows', $this->log->text());
        }
        $handler->close();
        $this->wire->assertDone();
    }

    public function testUnreachableReadThrowsAndIsNoEmptySession(): void
    {
        $handler = $this->handler([new Unreachable('No connection to tcp://x:1: refused')]);
        try {
            $handler->read('a');
            self::fail('an empty session would log out');
        } catch (Unreachable $failure) {
            self::assertNotInstanceOf(\Magento\Framework\Exception\SessionException::class, $failure);
            self::assertStringStartsWith('critical: No connection', $this->log->text());
        }
        self::assertFalse($handler->write('a', 'n|i:2;'));
        self::assertStringContainsString('was not opened before', $this->log->text());
    }

    public function testUnreadableDataIsAnErrorAndLeavesNoLock(): void
    {
        $handler = $this->handler([[[77, ':gz:damaged', 7, '7-70', 1, null]], [1]]);
        try {
            $handler->read('a');
            self::fail('damaged data is not empty data');
        } catch (Refused) {
            self::assertSame(self::RELEASE, $this->wire->sent[1]);
        }
    }

    public function testFailedReleaseEndsTheConnectionAndClosesAllTheSame(): void
    {
        $handler = $this->handler([[self::HELD], [new ErrorReply('BUSY a script runs')]]);
        $handler->read('a');
        self::assertTrue($handler->close());
        self::assertSame(1, $this->wire->disconnects);
        self::assertStringStartsWith('warning: A lock was not released', $this->log->text());
    }

    public function testDestroyEndsTheLockAndOthersSessionsCanBeDestroyed(): void
    {
        $handler = $this->handler([[self::HELD], [1], [1], [1]]);
        $handler->read('a');
        self::assertTrue($handler->destroy('other'));
        self::assertTrue($handler->destroy('a'));
        $handler->close();
        self::assertSame(['SESSION.DESTROY sess_other', 'SESSION.DESTROY sess_a'], array_slice($this->wire->sent, 1));
    }

    public function testSessionThatWasWrittenIsOpenedAgainByWhoReadsItAgain(): void
    {
        $handler = $this->handler([[self::HELD], [8], [[78, 'n|i:2;', 8, '8-77', 1, null]], [9]]);
        $handler->read('a');
        $handler->write('a', 'n|i:2;');
        self::assertTrue($handler->write('a', 'n|i:9;'));
        self::assertStringContainsString('critical: ', $this->log->text());
        self::assertSame('n|i:2;', $handler->read('a'));
        $handler->write('a', 'n|i:3;');
        self::assertSame('SESSION.COMMIT sess_a 78 DATA n|i:3; EX 3600 IF 8-77', $this->wire->sent[3]);
    }

    public function testUnreadableDataThatWasOnlyReadReleasesNothing(): void
    {
        $handler = $this->handler([[[0, ':gz:damaged', 7, '7-70', 3_000_000, null]]]);
        $handler->setReadOnly(true);
        $this->expectException(Refused::class);
        $handler->read('a');
    }

    public function testWriteOfAnotherSessionIsRefused(): void
    {
        $handler = $this->handler([[self::HELD], [1]]);
        $handler->read('a');
        self::assertFalse($handler->write('b', 'x'));
        self::assertStringStartsWith('critical: ', $this->log->text());
        $handler->close();
    }

    public function testFilesAreForMagentoOnly(): void
    {
        $this->expectException(\InvalidArgumentException::class);
        Handler::create(['on_unreachable' => 'files']);
    }

    /**
     * @param list<list<mixed>|\Throwable> $script
     * @param array<string, mixed> $options
     */
    private function handler(array $script, array $options = []): Handler
    {
        $this->wire = new FakeWire($script);
        $this->log = new Log();
        $settings = new Settings($options + ['database' => '0', 'mode' => 'native']);
        return new Handler(StoreFactory::create($settings, $this->wire), $settings, $this->log->writer());
    }
}
