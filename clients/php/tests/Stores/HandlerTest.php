<?php

declare(strict_types=1);

namespace Cloakroom\Session\Tests\Stores;

use Cloakroom\Session\Error\Refused;
use Cloakroom\Session\Handler;
use Cloakroom\Session\Tests\Support\HandlerCase;

/** The handler over a native store, called as PHP calls it. */
final class HandlerTest extends HandlerCase
{
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
        $handler = $this->handler([[[77, ':gz:' . gzcompress($large, 1), 7, '7-70', 3_412_345, null]], [8]]);
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

    public function testWhatACallerSaysHoldsForEveryPath(): void
    {
        foreach ([['/cart/', false, 'OPEN'], ['/other/', true, 'READ'], ['/cart/', null, 'READ']] as $case) {
            [$path, $readOnly, $command] = $case;
            $state = [$command === 'OPEN' ? 77 : 0, 'x', 7, '7-70', 3_000_000, null];
            $handler = $this->handler([[$state], [8]], ['read_only_paths' => [$path]]);
            $handler->setReadOnly(!$readOnly);
            $handler->setReadOnly($readOnly);
            self::assertSame('x', $handler->read('a'));
            self::assertStringStartsWith("SESSION.$command sess_a", $this->wire->sent[0]);
            self::assertTrue($handler->write('a', $command === 'OPEN' ? 'y' : 'x'));
            self::assertSame([], $this->log->lines);
        }
    }

    public function testLockAfterReadingOnAReadOnlyPath(): void
    {
        $handler = $this->handler(
            [[[0, 'x', 7, '7-70', 3_000_000, null]], [[77, null, 7, '7-70', 3_000_000, null]], [8]],
            ['read_only_paths' => ['/cart/']]
        );
        $handler->read('a');
        $handler->close();
        $handler->setReadOnly(false);
        self::assertSame('x', $handler->read('a'));
        self::assertTrue($handler->write('a', 'y'));
        self::assertStringEndsWith(' IFCHANGED 7-70', $this->wire->sent[1]);
        self::assertSame('SESSION.COMMIT sess_a 77 DATA y EX 3600 IF 7-70', $this->wire->sent[2]);
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
}
