<?php

declare(strict_types=1);

namespace Cloakroom\Session;

use Cloakroom\Session\Error\Fenced;
use Cloakroom\Session\Error\SessionError;
use Cloakroom\Session\Error\TooMany;

/**
 * PHP's session handler: session_set_save_handler(Handler::create(['host' => …]), true).
 *
 * - A lock that was taken is given back whatever happens: write, close, an exception, a fatal error, exit.
 * - A write is done, or refused loudly: by an exception or by a line of level "critical".
 * - Errors are exceptions of Error\. None of them makes PHP or Magento go on with an empty session.
 */
class Handler implements \SessionHandlerInterface, \SessionUpdateTimestampHandlerInterface
{
    public const KEY_PREFIX = 'sess_';
    private const SHOWN_BYTES = 8;

    /** @var \Closure(string, string): mixed */
    private readonly \Closure $log;
    private readonly Codec $codec;
    private ?Visit $visit = null;

    /** Null: read_only_paths decides. */
    private ?bool $isReadOnly = null;
    private bool $isGuarded = false;
    private bool $isOpening = false;

    /** What was read last and not yet handed to PHP. */
    private ?string $unread = null;

    /** The last read without a lock, so that the data need not be sent again when the lock is taken after all. */
    private ?Visit $readBefore = null;
    private bool $hasChanged = false;

    /** @param (\Closure(string, string): void)|null $log level by PSR-3, message; null: error_log from notice on */
    public function __construct(
        private readonly Store $store,
        private readonly Settings $settings,
        ?\Closure $log = null
    ) {
        $this->log = $log ?? static function (string $level, string $message): void {
            error_log("cloakroom session, $level: $message");
        };
        $this->codec = new Codec(
            $settings->compressionLibrary,
            $settings->compressionThresholdBytes,
            fn (string $message) => ($this->log)('warning', $message)
        );
    }

    /**
     * @param array<string, mixed> $options see Settings::DEFAULTS and README.md
     * @param (\Closure(string, string): void)|null $log
     * @throws \InvalidArgumentException
     */
    public static function create(array $options = [], ?\Closure $log = null): self
    {
        $settings = new Settings($options + ['lifetime' => (string) ini_get('session.gc_maxlifetime')]);
        if ($settings->onUnreachable === 'files') {
            throw new \InvalidArgumentException('Session option on_unreachable "files" works in Magento only.');
        }
        return new self(StoreFactory::create($settings), $settings, $log);
    }

    /** Connects later, when there is something to ask. */
    public function open(string $path, string $name): bool
    {
        return true;
    }

    /** Whether the session exists, for session.use_strict_mode. It is open then, and read() does not ask again. */
    public function validateId(string $id): bool
    {
        return $this->visit($id)->state->exists();
    }

    public function read(string $id): string
    {
        $visit = $this->visit($id);
        $data = $this->unread ?? $this->codec->decode($visit->state->data ?? '');
        $this->unread = null;
        return $data;
    }

    public function write(string $id, string $data): bool
    {
        $visit = $this->visit;
        if ($visit === null || $visit->id !== $id) {
            ($this->log)('critical', 'A session was not written: it was not opened before.');
            return false;
        }
        $isUnchanged = $visit->isUnchanged($data);
        if (!$visit->holdsLock()) {
            if (!$isUnchanged) {
                $this->tellLost($visit);
            }
            return true;
        }
        return $this->commit($visit, $data, $isUnchanged);
    }

    /** PHP calls it in place of write() when nothing has changed. */
    public function updateTimestamp(string $id, string $data): bool
    {
        return $this->write($id, $data);
    }

    /** Gives the lock back, keeps the connection: session_regenerate_id() closes, and opens at once. */
    public function close(): bool
    {
        $this->release();
        return true;
    }

    public function destroy(string $id): bool
    {
        try {
            $this->store->destroy(self::KEY_PREFIX . $id);
        } catch (SessionError $failure) {
            $who = self::who($this->visit?->request ?? Request::fromServer($_SERVER), $id);
            ($this->log)('critical', "$who was not destroyed: {$failure->getMessage()}");
            throw $failure;
        }
        if ($this->visit?->id === $id) {
            $this->visit->lockIsGone();
        }
        if ($this->readBefore?->id === $id) {
            $this->readBefore = null;
        }
        return true;
    }

    /** The server removes what has expired. */
    public function gc(int $max_lifetime): int
    {
        return 0;
    }

    /**
     * Whether sessions that are opened from now on are only read: without waiting, and without a write. True and false
     * hold for every path, null leaves it to the option read_only_paths.
     */
    public function setReadOnly(?bool $readOnly): void
    {
        $this->isReadOnly = $readOnly;
    }

    /** Whether the session, opened for writing after it was only read, is another by now than it was then. */
    public function changedSinceRead(): bool
    {
        return $this->hasChanged;
    }

    /** Tells the client that too many wait. Magento's handler shows its page instead, and does not return. */
    protected function refuse(TooMany $failure): void
    {
        if (!headers_sent()) {
            http_response_code(503);
            header('Retry-After: ' . TooMany::RETRY_AFTER_S);
        }
    }

    /** The open visit, or a new one. */
    private function visit(string $id): Visit
    {
        if ($this->visit?->id === $id && !$this->visit->isOver()) {
            return $this->visit;
        }
        $this->release();
        $this->guard();
        $key = self::KEY_PREFIX . $id;
        $request = Request::fromServer($_SERVER);
        $readsOnly = $this->isReadOnly ?? $this->settings->isReadOnly($request->path);
        $this->isOpening = true;
        try {
            $state = $readsOnly
                ? $this->readOnly($id, $key, $request)
                : $this->store->open($key, $request, $this->known($id));
            return $this->begin($id, $key, $request, $state);
        } catch (TooMany $failure) {
            ($this->log)('warning', self::who($request, $id) . ": {$failure->getMessage()}; answered 503");
            $this->refuse($failure);
            throw $failure;
        } catch (SessionError $failure) {
            ($this->log)('critical', self::who($request, $id) . " was not opened: {$failure->getMessage()}");
            throw $failure;
        } finally {
            $this->isOpening = false;
        }
    }

    /** @throws SessionError when the data cannot be read; the lock is released then */
    private function begin(string $id, string $key, Request $request, State $state): Visit
    {
        try {
            $data = $this->codec->decode($state->data ?? '');
        } catch (\Throwable $failure) {
            if ($state->isLocked()) {
                $this->releaseQuietly($key, $request, $state);
            }
            throw $failure;
        }
        $visit = new Visit($id, $key, $request, $state, $data, $this->settings->onFenced === 'merge');
        $known = $this->known($id);
        $this->hasChanged = $known !== null && $known->version !== $state->version;
        $this->readBefore = $state->isLocked() ? null : $visit;
        $this->visit = $visit;
        $this->unread = $data;
        $this->tell($visit);
        return $visit;
    }

    private function readOnly(string $id, string $key, Request $request): State
    {
        $state = $this->store->read($key);
        $lifetimeS = Lifetime::seconds($this->settings, $state->writes, $request->userAgent);
        if ($state->exists() && $state->ttlMs >= 0 && $state->ttlMs < $lifetimeS * 1000 / 2) {
            try {
                $this->store->extend($key, $lifetimeS);
            } catch (SessionError $failure) {
                // The page has what it asked for.
                ($this->log)('warning', self::who($request, $id) . ' was read, but its life was not prolonged: '
                    . $failure->getMessage());
            }
        }
        return $state;
    }

    private function known(string $id): ?State
    {
        $state = $this->readBefore?->id === $id ? $this->readBefore->state : null;
        return $state === null || $state->version === '' || $state->version === State::ABSENT ? null : $state;
    }

    private function tell(Visit $visit): void
    {
        $who = self::who($visit->request, $visit->id);
        if ($visit->state->broke !== null) {
            ($this->log)('notice', "$who: took over the lock of {$visit->state->broke}");
        }
        if ($visit->state->refusal !== null) {
            ($this->log)('warning', "$who is open without its lock, and will not be written: {$visit->state->refusal}");
        }
    }

    private function tellLost(Visit $visit): void
    {
        [$level, $why] = match (true) {
            $visit->state->refusal !== null => ['critical', $visit->state->refusal],
            $visit->state->isLocked() => ['critical', 'its lock ended before, or is that of a parent process'],
            default => ['warning', 'it was opened to be read only'],
        };
        ($this->log)($level, self::who($visit->request, $visit->id, 'changes of session') . " are lost: $why");
    }

    /** How a log line begins. An id is a secret, so it is cut; the server's log cuts it at the same place. */
    private static function who(Request $request, string $id, string $what = 'session'): string
    {
        return "{$request->owner} {$request->page()}: $what " . substr($id, 0, self::SHOWN_BYTES) . '…';
    }

    private function commit(Visit $visit, string $data, bool $isUnchanged): bool
    {
        $ttlS = Lifetime::seconds($this->settings, $visit->state->writes, $visit->request->userAgent);
        try {
            $isThere = $isUnchanged && !$visit->mayHaveExpired();
            $bytes = $isThere && !$this->store->alwaysWrites() ? null : $this->codec->encode($data);
            $this->store->commit($visit->key, $visit->request, $visit->state, $bytes, $ttlS);
            $visit->lockIsGone();
            return true;
        } catch (Fenced $failure) {
            $visit->lockIsGone();
            return $isUnchanged && !$failure->losesWhatWasRead()
                ? $this->tellGone($visit, $failure)
                : $this->settleFenced($visit, $data, $ttlS, $failure);
        } catch (\Throwable $failure) {
            ($this->log)('critical', self::who($visit->request, $visit->id) . ' was not written, or nobody knows: '
                . $failure->getMessage());
            $this->release();
            throw $failure;
        }
    }

    /** A page that changed nothing has lost nothing, but the next one may find no session. */
    private function tellGone(Visit $visit, Fenced $failure): bool
    {
        if ($failure->mayHaveExpired()) {
            ($this->log)('notice', self::who($visit->request, $visit->id) . ' is gone: it expired or was deleted, and '
                . "the connection was lost meanwhile; this page had not changed it: {$failure->getMessage()}");
        }
        return true;
    }

    /** @throws Fenced with on_fenced "fail" */
    private function settleFenced(Visit $visit, string $data, int $ttlS, Fenced $failure): bool
    {
        $outcome = $failure->losesWhatWasRead() ? 'all that it had is lost' : 'its changes are lost';
        // A plain client counts its write only after it has given the lock back, and so fences the next holder.
        $merges = $this->settings->onFenced === 'merge' && !$failure->losesWhatWasRead();
        if ($merges || $failure->isByAWriteBesideTheLock()) {
            $outcome = $this->writeAgain($visit, $data, $ttlS);
            if ($outcome === '') {
                return true;
            }
        }
        ($this->log)('critical', self::who($visit->request, $visit->id) . ': '
            . "{$failure->getMessage()}; $outcome. Now: {$this->store->holder($visit->key)}");
        // False would make PHP warn, and Magento throw, after the page is done.
        return $this->settings->onFenced === 'fail' ? throw $failure : true;
    }

    /** Takes the lock again and writes, if that overwrites nothing. Returns why it could not, '' if it did. */
    private function writeAgain(Visit $visit, string $mine, int $ttlS): string
    {
        $now = null;
        try {
            $now = $this->store->open($visit->key, $visit->request);
            $merged = $now->data === null || !$now->isLocked()
                ? null
                : $this->merged($visit, $mine, $this->codec->decode($now->data));
            if ($merged !== null) {
                $this->store->commit($visit->key, $visit->request, $now, $this->codec->encode($merged), $ttlS);
                ($this->log)('notice', self::who($visit->request, $visit->id)
                    . ' was written after its lock had been lost');
                return '';
            }
            $why = $now->refusal ?? ($now->data === null ? 'the session is gone' : 'others changed the same');
        } catch (\Throwable $failure) {
            $why = $failure->getMessage();
        }
        if ($now !== null && $now->isLocked()) {
            $this->releaseQuietly($visit->key, $visit->request, $now);
        }
        return "not written again: $why; its changes are lost";
    }

    /** What I changed, in what is there now; null when that would undo a change of somebody else. */
    private function merged(Visit $visit, string $mine, string $theirs): ?string
    {
        if ($visit->isUnchanged($theirs)) {
            return $mine;
        }
        return $this->settings->onFenced === 'merge'
            ? Merge::threeWay($visit->original(), $mine, $theirs, (string) ini_get('session.serialize_handler'))
            : null;
    }

    private function release(): void
    {
        $visit = $this->visit;
        $this->visit = null;
        $this->unread = null;
        if ($visit !== null && $visit->holdsLock()) {
            $visit->lockIsGone();
            $this->releaseQuietly($visit->key, $visit->request, $visit->state);
        }
    }

    private function releaseQuietly(string $key, Request $request, State $state): void
    {
        try {
            $this->store->release($key, $request, $state);
        } catch (\Throwable $failure) {
            // A native lock ends with the connection.
            $this->store->disconnect();
            ($this->log)('warning', "A lock was not released: {$failure->getMessage()}");
        }
    }

    /** A shutdown function frees the lock that a fatal error or exit has left. */
    private function guard(): void
    {
        if ($this->isGuarded) {
            return;
        }
        $this->isGuarded = true;
        $handler = \WeakReference::create($this);
        register_shutdown_function(static function () use ($handler): void {
            // Behind those that were registered later: they may still change the session, or write it.
            register_shutdown_function(static fn () => $handler->get()?->endRequest());
        });
    }

    private function endRequest(): void
    {
        try {
            // Without a shutdown function of its own PHP would write only after this one.
            if ($this->visit?->holdsLock() && session_status() === PHP_SESSION_ACTIVE) {
                session_write_close();
            }
        } finally {
            $this->release();
            if ($this->isOpening) {
                // A kept connection would go on waiting for the lock, and get it.
                $this->store->disconnect();
            }
        }
    }
}
