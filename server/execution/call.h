#ifndef CLOAKROOM_SERVER_EXECUTION_CALL_H_
#define CLOAKROOM_SERVER_EXECUTION_CALL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/random/random.h"
#include "protocol/reply_writer.h"
#include "server/context/errors.h"
#include "server/context/server.h"
#include "server/execution/command_table.h"
#include "server/execution/long_work.h"
#include "server/execution/thread_context.h"
#include "server/session/blocked_request.h"
#include "server/session/client.h"
#include "storage/access/write_scope.h"
#include "storage/keyspace/database.h"
#include "storage/values/hash.h"
#include "storage/values/set.h"
#include "storage/values/string_value.h"

namespace cloakroom {

class Executor;

/// How a command came to run. Only a top-level command may leave the event loop.
enum class CallMode : uint8_t { kTopLevel, kTransaction, kScript };

/// One command on its way: its arguments, the client that sent it, the keys that it holds, and the
/// reply that it writes. Lives as long as the command function runs.
///
/// A command function replies exactly once, or starts long work. On an error it replies with the
/// error and returns; nothing may have changed by then.
class Call {
 public:
  Call(Executor& executor, Server& server, ThreadContext& thread, Client& client,
       const Command& command, CommandArguments args, ReplyWriter& reply, int64_t now_ms,
       CallMode mode, Hold& hold)
      : executor_(executor),
        server_(server),
        thread_(thread),
        client_(client),
        command_(command),
        args_(args),
        reply_(reply),
        now_ms_(now_ms),
        mode_(mode),
        hold_(hold),
        db_(&server.keyspace().db(client.db)) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  size_t argc() const { return args_.size(); }
  std::string_view arg(size_t i) const { return args_[i]; }
  CommandArguments args() const { return args_; }

  /// For commands that run commands (scripts).
  Executor& executor() { return executor_; }
  Server& server() { return server_; }
  ThreadContext& thread() { return thread_; }
  Client& client() { return client_; }
  const Client& client() const { return client_; }
  const Command& command() const { return command_; }
  ReplyWriter& reply() { return reply_; }
  CallMode mode() const { return mode_; }
  absl::InsecureBitGen& random() { return thread_.random; }
  /// For a command whose reply may show anyone's changes (INFO): where readers wait for the disk,
  /// the reply waits until all changes made so far are durable.
  void SeeEverything();

  /// What is held while the command runs: by itself, or by the transaction or script around it.
  Hold& hold() { return hold_; }

  /// The client's selected database.
  Database& db() { return *db_; }
  Database& db(int index) { return server_.keyspace().db(index); }
  /// The time at which the command, or the transaction or script around it, began.
  int64_t now_ms() const { return now_ms_; }

  /// The hash of a key; that of the request's first key is remembered.
  KeyHash HashOf(std::string_view key);
  void set_first_key(std::string_view key, KeyHash hash) {
    first_key_ = key;
    first_hash_ = hash;
  }

  /// The live entry of a key, or null. Counts a hit or a miss, and notes the access for eviction.
  const Entry* Find(std::string_view key);
  /// As Find, but does not count as an access: TTL, TYPE, OBJECT and EXISTS do not keep a key
  /// young.
  const Entry* Peek(std::string_view key);

  /// Opens a key of any type for changing.
  WriteScope Open(std::string_view key) {
    return WriteScope(hold_, db(), key, HashOf(key), now_ms_, access());
  }
  /// Makes opening a key count as an access (see WriteScope); null under CLIENT NO-TOUCH.
  absl::InsecureBitGen* access() { return client_.no_touch ? nullptr : &thread_.random; }

  // Replies that take more than one call of the writer.
  void Error(std::string_view message);
  void WrongArity();
  void SyntaxError() { Error(kSyntaxError); }
  /// Replies with the value of a string or a field; a large one by reference.
  void ReplyString(const StringView& value);
  /// Replies with a part of one. REQUIRES: offset + size <= value.size().
  void ReplyRange(const StringView& value, size_t offset, size_t size);
  void ReplyItem(const ItemValue& value);
  bool failed() const { return !error_code_.empty(); }
  std::string_view error_code() const { return error_code_; }
  /// For a script that replies the error of one of its commands, which counted it.
  void NoteErrorIsCounted() { error_is_counted_ = true; }
  bool error_is_counted() const { return error_is_counted_; }

  // An argument as a number. If it is not one, replies with the error and returns nullopt.
  std::optional<int64_t> Integer(size_t i, std::string_view error = kNotInteger);
  std::optional<int64_t> IntegerIn(size_t i, int64_t low, int64_t high,
                                   std::string_view error = kNotInteger);
  /// Whether an argument is this keyword, in any case.
  bool Is(size_t i, std::string_view keyword) const;

  /// Finishes the command outside the event loop: `work` runs on a worker and replies there, while
  /// the connection waits. Inside MULTI or a script it runs at once. Must be the last thing that
  /// the command does. `work` must not touch the Call or the Client, and must own the arguments
  /// that it needs. It is a coroutine (long_work.h), or a plain function that never waits.
  void StartLongWork(LongWork::Function work);
  template <typename Work>
    requires std::is_void_v<std::invoke_result_t<Work&, LongWork&>>
  void StartLongWork(Work work) {
    StartLongWork(LongWork::Function([work = std::move(work)](LongWork& long_work) mutable -> Task {
      work(long_work);
      co_return;
    }));
  }

  /// For a change whose result takes long to compute: `work` computes it on a worker, from shared
  /// copies of what the command has read, and leaves it in LongWork::prepared. Then the command
  /// runs again from its beginning and finds the result in prepared(). It must check that the
  /// result was computed from what it reads now, and may prepare anew if not. The command must not
  /// have changed anything or replied. REQUIRES: may_prepare().
  template <typename Work>
  void PrepareOnWorker(Work work) {
    prepares_ = true;
    StartLongWork(std::move(work));
  }
  /// False where the command must finish now: inside MULTI or a script, and when what it reads has
  /// changed too often while it prepared.
  bool may_prepare() const {
    return mode_ == CallMode::kTopLevel && preparations_ < kMostPreparations;
  }
  template <typename Result>
  std::shared_ptr<Result> prepared() const {
    return std::static_pointer_cast<Result>(prepared_);
  }

  /// Parks the request until one of its keys is ready. Must be the last thing that the command
  /// does; it must not have changed anything or replied. The keys are among those of its row, in
  /// the same database. REQUIRES: may_block().
  void Block(BlockOn on) { block_on_ = std::move(on); }
  /// False inside MULTI and scripts, where such a command replies as if its time had run out.
  bool may_block() const { return mode_ == CallMode::kTopLevel; }

  /// Has the command run again soon, because something that is never held for long was occupied.
  /// The command must not have changed anything or replied. REQUIRES: the mode is kTopLevel.
  void TryAgainSoon() { again_soon_ = true; }

  // For the executor.
  bool has_long_work() const { return work_ != nullptr; }
  LongWork::Function TakeLongWork() { return std::exchange(work_, nullptr); }
  bool prepares() const { return prepares_; }
  bool again_soon() const { return again_soon_; }
  bool blocks() const { return block_on_.has_value(); }
  BlockOn TakeBlockOn() { return *std::move(block_on_); }
  void set_prepared(LongWork::Prepared prepared, int preparations) {
    prepared_ = std::move(prepared);
    preparations_ = preparations;
  }

 private:
  static constexpr int kMostPreparations = 3;

  Executor& executor_;
  Server& server_;
  ThreadContext& thread_;
  Client& client_;
  const Command& command_;
  CommandArguments args_;
  ReplyWriter& reply_;
  const int64_t now_ms_;
  const CallMode mode_;
  Hold& hold_;
  Database* db_;
  std::string_view first_key_;
  KeyHash first_hash_;
  std::string error_code_;
  bool error_is_counted_ = false;
  LongWork::Function work_;
  bool prepares_ = false;
  bool again_soon_ = false;
  std::optional<BlockOn> block_on_;
  LongWork::Prepared prepared_;
  int preparations_ = 0;
};

/// Replies with the value of a field, on any thread; a large one by reference.
void ReplyItem(ReplyWriter& reply, const ItemValue& value);

/// A key opened for reading as a value of type T (Hash, Set, StringView). An absent key reads as an
/// empty value. If the key holds another type, replies WRONGTYPE, and ok() is false.
///
///   Reading<Hash> hash(call, call.arg(1));
///   if (!hash.ok()) return;
///   call.reply().Integer(hash->size(call.now_ms()));
template <typename T>
class Reading {
 public:
  Reading(Call& call, std::string_view key) : entry_(call.Find(key)) {
    if (entry_ == nullptr) return;
    if (entry_->type() != T::kType) [[unlikely]] {
      ok_ = false;
      call.Error(kWrongType);
      return;
    }
    if constexpr (std::is_constructible_v<T, Encoding, std::string_view, int64_t>) {
      value_ = T(entry_->encoding(), entry_->payload(), call.now_ms());
    } else {
      value_ = T(entry_->encoding(), entry_->payload());
    }
  }

  bool ok() const { return ok_; }
  bool exists() const { return entry_ != nullptr; }
  const Entry* entry() const { return entry_; }
  T& operator*() { return value_; }
  T* operator->() { return &value_; }

 private:
  const Entry* entry_;
  bool ok_ = true;
  T value_;
};

/// A key opened for changing as a value (MutableHash, MutableSet, MutableString): created by the
/// first insertion, removed with the last item, which makes a "del" event of its own. If the key
/// holds another type, replies WRONGTYPE, and ok() is false.
///
///   Writing<MutableHash> hash(call, call.arg(1));
///   if (!hash.ok()) return;
///   if (hash->Erase(call.arg(2), call.now_ms())) hash.Changed("hdel");
template <typename T>
class Writing {
 public:
  Writing(Call& call, std::string_view key)
      : scope_(call.hold(), call.db(), key, call.HashOf(key), call.now_ms(), call.access()),
        existed_(scope_.exists()),
        ok_(!existed_ || scope_.type() == View::kType),
        limits_(call.server().keyspace().encoding_limits()),
        value_(Make(scope_, limits_)) {
    if (!ok_) [[unlikely]]
      call.Error(kWrongType);
  }
  ~Writing() {
    if (changed_ && existed_ && !scope_.exists()) scope_.Changed("del");
  }

  bool ok() const { return ok_; }
  bool exists() const { return scope_.exists(); }
  WriteScope& scope() { return scope_; }
  T& operator*() { return value_; }
  T* operator->() { return &value_; }
  void Changed(KeyEvent event, int64_t count = 1) {
    changed_ = true;
    scope_.Changed(event, count);
  }

 private:
  using View = decltype(std::declval<const T&>().view());
  static T Make(WriteScope& scope, const EncodingLimits& limits) {
    if constexpr (std::is_constructible_v<T, ValueSlot&, const EncodingLimits&, int64_t>) {
      return T(scope, limits, scope.now_ms());
    } else if constexpr (std::is_constructible_v<T, ValueSlot&, const EncodingLimits&>) {
      return T(scope, limits);
    } else {
      return T(scope);
    }
  }

  WriteScope scope_;
  bool existed_;
  bool ok_;
  bool changed_ = false;
  const EncodingLimits& limits_;
  T value_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_EXECUTION_CALL_H_
