#include "server/commands/support/parked_poll.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "server/commands/support/session_call.h"
#include "server/config/config.h"
#include "server/sessions/open_request.h"

namespace cloakroom {
namespace {

constexpr std::string_view kSessionKeys = "sess_";

bool IsPoll(const Call& call) {
  return call.arg(1).starts_with(kSessionKeys) && call.arg(2) == session_field::kLock &&
         call.arg(3) == "1";
}

/// One run of a poll that waits, or may have to.
class Polling {
 public:
  explicit Polling(Call& call)
      : call_(call),
        client_(call.client()),
        sessions_(call.server().sessions()),
        key_{call.hold(), call.db(), call.arg(1), call.HashOf(call.arg(1)), call.now_ms()},
        context_(sessions_.Context()),
        open_(std::exchange(client_.open_request, nullptr)) {}

  bool Park(int64_t most_ms);

 private:
  bool Begin(int64_t most_ms, const SessionHash& hash);
  void WaitOn(SessionLock& lock);

  Call& call_;
  Client& client_;
  NativeSessions& sessions_;
  const GuardedKey key_;
  const SessionContext context_;
  std::shared_ptr<OpenRequest> open_;
};

bool Polling::Park(int64_t most_ms) {
  if (open_ == nullptr && !Begin(most_ms, NativeSessions::HashOf(key_))) return false;
  open_->parked = nullptr;
  const SessionLocks::Use lock = NativeSessions::LocksOf(key_).Get(key_.key);
  // The turn of somebody who has not come.
  if (open_->queued() && lock->state() == SessionLock::State::kTurn)
    sessions_.Apply(key_, lock->OnTime(NativeSessions::HashOf(key_), context_), lock);
  if (open_->queued() && context_.now_ms >= open_->wait_until_ms) sessions_.Leave(key_, *open_);
  const auto most = static_cast<size_t>(call_.server().settings().session_max_waiters.Get());
  if (!lock->ParkPoll(*open_, NativeSessions::HashOf(key_), context_, most)) return false;
  WaitOn(*lock);
  return true;
}

/// False: the poll finds the lock free, or nothing that can be waited for.
bool Polling::Begin(int64_t most_ms, const SessionHash& hash) {
  if (most_ms == 0 || (!hash.plain() && !NativeSessions::LocksOf(key_).Find(key_.key)))
    return false;
  sessions_.NoteUse();
  open_ = std::make_shared<OpenRequest>(SessionClient{client_.id, client_.address.Text(), ""},
                                        /*lease_ms=*/0, key_.db.index(), std::string(key_.key),
                                        SessionWaiter::Kind::kPoll);
  open_->client_id = client_.id;
  open_->wait_until_ms = context_.now_ms + most_ms;
  return true;
}

void Polling::WaitOn(SessionLock& lock) {
  int64_t until_ms = open_->wait_until_ms;
  if (lock.queue().head() == open_.get()) until_ms = std::min(until_ms, lock.NextDeadline());
  client_.open_request = open_;
  call_.Block(
      {.time_limit_ms = std::max<int64_t>(until_ms - context_.now_ms, 1), .runs_again = true});
}

}  // namespace

bool ParkPoll(Call& call) {
  const int64_t most_ms = call.server().settings().session_park_polls_ms;
  if (most_ms == 0 && call.client().open_request == nullptr) [[likely]]
    return false;
  return call.may_block() && IsPoll(call) && Polling(call).Park(most_ms);
}

}  // namespace cloakroom
