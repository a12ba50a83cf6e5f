#ifndef CLOAKROOM_SERVER_SESSION_BLOCKED_REQUEST_H_
#define CLOAKROOM_SERVER_SESSION_BLOCKED_REQUEST_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "protocol/output_buffer.h"
#include "protocol/reply_writer.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/changes/interest.h"
#include "storage/keyspace/database.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/key_hash.h"

namespace cloakroom {

/// A key that may be ready for a blocked request, under the hold of the writer that changed it.
struct ReadyKey {
  Hold& hold;
  Database& db;
  std::string_view key;
  KeyHash hash;
  int64_t now_ms;
  ReplyWriter& reply;
  Waiter& waiter;

  /// Call it when the key has what the request waits for, before any change or reply. False: the
  /// request has just been ended otherwise, so do nothing for it.
  bool Take() const { return waiter.Settle(); }
};

class BlockedRequest;

/// What a request waits for (Call::Block).
struct BlockOn {
  using Serve = std::function<Waiter::Verdict(const ReadyKey&)>;

  /// In the client's database.
  std::vector<std::string> keys;
  /// A key that `serve` changes besides: whoever makes one of the keys ready also holds this one.
  std::optional<std::string> also_changed = {};
  /// `serve` is also called when a key is gone, though others wait before it in vain.
  bool hears_removal = false;
  /// From now on; 0: none.
  int64_t time_limit_ms = 0;
  /// Does the request's work on a key. It runs on the writer's thread, so it must touch neither
  /// Call nor Client.
  Serve serve = {};
  /// Writes the reply when the time limit has passed.
  std::function<void(ReplyWriter&)> time_out = {};
  /// Without keys: the request runs again when it is served or its time limit has passed.
  bool runs_again = false;
  /// Without keys: whoever calls Unblock() later is told here of the request. May be null.
  std::function<void(std::weak_ptr<BlockedRequest>)> begin = {};
};

/// A request that is parked until one of its keys is ready, its time limit has passed, or CLIENT
/// UNBLOCK ends it. The first of these settles it, and decides the reply.
///
/// Thread rule: its client's event loop, except where a comment says any thread.
class BlockedRequest final : public Waiter {
 public:
  BlockedRequest(BlockOn on, Database& db, const Clock& clock, int resp);

  /// Lines up behind the requests that wait for its keys. REQUIRES: the stripes of the keys have
  /// been held since they were found not ready.
  void Enqueue();
  /// Call it when the request is parked.
  void Begin();
  /// Its keys and its places in their queues, for the code that removes it.
  Database& db() { return db_; }
  bool hears_removal() const { return work_ != nullptr && work_->on.hears_removal; }
  std::span<const std::string> keys() const;
  InterestTable::Place& place(size_t key) { return work_->places[key]; }
  int64_t time_limit_ms() const { return time_limit_ms_; }

  /// Calls `wake` once, on any thread, when another thread has settled the request; at once if that
  /// has already happened.
  void WhenSettled(std::function<void()> wake);
  /// Call it when the time limit has passed. False: another thread was first, and will call `wake`.
  bool TimeOut();
  /// For CLIENT UNBLOCK: ends it with an error, or as if its time had run out. False: another
  /// thread was first. Any thread.
  bool Unblock(bool with_error);
  /// The server has become a replica: ends it with an error, after which its client is to be
  /// closed. Any thread.
  bool CallOff();
  bool closes_client();
  /// It is to run again, instead of being replied to.
  bool runs_again();
  /// CLIENT UNBLOCK has ended it as if its time had run out.
  bool time_out_asked();
  /// Call it when its client is gone: nobody may serve it any more.
  void Abandon() { Settle(); }

  /// Once it is settled and the event loop knows: writes its reply. Returns the first word of the
  /// error, or nothing if the reply is none. No status: the reply has the error, and the
  /// statistics, which alone ask, count errors by this word.
  std::string Reply(ReplyWriter& reply);
  /// The offset that must be durable before the reply is sent.
  int64_t durable_from();

  // Waiter.
  Verdict Serve(Hold& hold, Database& db, std::string_view key, KeyHash hash) override;
  void Wake(int64_t durable_from) override;

 private:
  enum class End : uint8_t { kServed, kTimedOut, kTimeOutAsked, kErrorAsked, kCalledOff };
  void Finish(End end, int64_t durable_from);

  /// What others may have to do for it.
  struct Work {
    Work(BlockOn its_on, const Clock& its_clock, int resp)
        : on(std::move(its_on)), clock(its_clock), writer(output, resp) {}

    const BlockOn on;
    const Clock& clock;
    std::vector<InterestTable::Place> places;
    /// These belong to the thread that settled it, until Finish.
    OutputBuffer output;
    ReplyWriter writer;
  };

  Database& db_;
  const int64_t time_limit_ms_;
  const std::unique_ptr<Work>
      work_;  ///< null: it runs again. A hundred thousand may wait like that

  Mutex mutex_;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  End end_ ABSL_GUARDED_BY(mutex_) = End::kServed;
  int64_t durable_from_ ABSL_GUARDED_BY(mutex_) = 0;
  std::function<void()> wake_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_SESSION_BLOCKED_REQUEST_H_
