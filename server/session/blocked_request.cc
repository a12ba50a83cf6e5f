#include "server/session/blocked_request.h"

#include "server/context/errors.h"

namespace cloakroom {

BlockedRequest::BlockedRequest(BlockOn on, Database& db, const Clock& clock, int resp)
    : db_(db),
      time_limit_ms_(on.time_limit_ms),
      work_(on.runs_again ? nullptr : std::make_unique<Work>(std::move(on), clock, resp)) {
  if (work_ == nullptr) return;
  work_->places.resize(work_->on.keys.size(),
                       {.waiter = this, .hears_removal = work_->on.hears_removal});
  if (!work_->on.also_changed) return;
  for (auto& place : work_->places) place.also_held = KeyHash::Of(*work_->on.also_changed).stripe();
}

std::span<const std::string> BlockedRequest::keys() const {
  return work_ == nullptr ? std::span<const std::string>() : std::span(work_->on.keys);
}

void BlockedRequest::Begin() {
  if (work_ != nullptr && work_->on.begin)
    work_->on.begin(std::static_pointer_cast<BlockedRequest>(shared_from_this()));
}

void BlockedRequest::Enqueue() {
  for (size_t i = 0; i < keys().size(); ++i) {
    Stripe& stripe = db_.StripeOf(KeyHash::Of(keys()[i]));
    AssertHeld(stripe);
    stripe.interests.Enqueue(keys()[i], &place(i));
  }
}

Waiter::Verdict BlockedRequest::Serve(Hold& hold, Database& db, std::string_view key,
                                      KeyHash hash) {
  return work_->on.serve({hold, db, key, hash, work_->clock.NowMs(), work_->writer, *this});
}

void BlockedRequest::Wake(int64_t durable_from) { Finish(End::kServed, durable_from); }

bool BlockedRequest::TimeOut() {
  if (!Settle()) return false;
  Finish(End::kTimedOut, 0);
  return true;
}

bool BlockedRequest::Unblock(bool with_error) {
  if (!Settle()) return false;
  Finish(with_error ? End::kErrorAsked : End::kTimeOutAsked, 0);
  return true;
}

bool BlockedRequest::CallOff() {
  if (!Settle()) return false;
  Finish(End::kCalledOff, 0);
  return true;
}

bool BlockedRequest::closes_client() {
  MutexLock lock(mutex_);
  return end_ == End::kCalledOff;
}

bool BlockedRequest::runs_again() {
  MutexLock lock(mutex_);
  return work_ == nullptr && end_ != End::kErrorAsked && end_ != End::kCalledOff;
}

bool BlockedRequest::time_out_asked() {
  MutexLock lock(mutex_);
  return end_ == End::kTimeOutAsked;
}

void BlockedRequest::Finish(End end, int64_t durable_from) {
  std::function<void()> wake;
  {
    MutexLock lock(mutex_);
    finished_ = true;
    end_ = end;
    durable_from_ = durable_from;
    wake = std::exchange(wake_, nullptr);
  }
  if (wake) wake();
}

void BlockedRequest::WhenSettled(std::function<void()> wake) {
  {
    MutexLock lock(mutex_);
    if (!finished_) {
      wake_ = std::move(wake);
      return;
    }
  }
  wake();
}

int64_t BlockedRequest::durable_from() {
  MutexLock lock(mutex_);
  return durable_from_;
}

std::string BlockedRequest::Reply(ReplyWriter& reply) {
  MutexLock lock(mutex_);
  std::string error_code;
  switch (end_) {
    case End::kServed:
      if (const auto text = work_->output.Whole(); text && text->starts_with('-')) {
        error_code = ErrorCodeOf(text->substr(1));
      }
      work_->output.MoveTo(reply.out());
      break;
    case End::kTimedOut:
    case End::kTimeOutAsked:
      work_->on.time_out(reply);
      break;
    case End::kErrorAsked:
      error_code = ErrorCodeOf(kUnblocked);
      reply.Error(kUnblocked);
      break;
    case End::kCalledOff:
      error_code = ErrorCodeOf(kUnblockedByRole);
      reply.Error(kUnblockedByRole);
      break;
  }
  return error_code;
}

}  // namespace cloakroom
