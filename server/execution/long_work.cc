#include "server/execution/long_work.h"

#include <future>

#include "server/context/errors.h"

namespace cloakroom {

LongWork::LongWork(Function function, WorkerPool& pool, const RunningScripts& scripts,
                   GateSlot slot, int resp, std::function<void()> done)
    : reply(writer_),
      function_(std::move(function)),
      pool_(&pool),
      scripts_(&scripts),
      slot_(slot),
      done_(std::move(done)),
      writer_(output_, resp) {}

LongWork::LongWork(Function function, ReplyWriter& reply_writer, Hold& hold)
    : reply(reply_writer), function_(std::move(function)), outer_(&hold), writer_(output_) {}

void LongWork::Error(std::string_view message) {
  error_code_ = ErrorCodeOf(message);
  reply.Error(message);
}

void LongWork::Start() {
  task_ = function_(*this);
  Post();
}

void LongWork::Post() {
  pool_->Post([self = shared_from_this()] { self->Advance(); });
}

LongWork::Resume LongWork::Resumer() {
  return [self = shared_from_this()] { self->Post(); };
}

bool LongWork::MustGiveWay() const {
  return pool_ != nullptr && pool_->AnyWaits() && std::chrono::steady_clock::now() >= turn_ends_;
}

bool LongWork::TryStep(const Wanted& wanted) {
  if (outer_ != nullptr) {
    wanted.step(*outer_);
    return true;
  }
  Hold hold(slot_, &holds_);
  if (!hold.TryPass(*wanted.db)) {
    refused_ = hold.refused();
    return false;
  }
  wanted.step(hold);
  return true;
}

void LongWork::Advance() {
  turn_ends_ = std::chrono::steady_clock::now() + kTurn;
  if (wanted_ != nullptr) {
    if (!TryStep(*wanted_)) return AwaitGate();
    wanted_ = nullptr;
  }
  task_.Resume();
  if (task_.done()) return done_();
  if (start_ != nullptr) return std::exchange(start_, nullptr)(Resumer());
  Post();
}

void LongWork::AwaitGate() {
  if (!refused_->busy()) return refused_->WhenOpen({.hears_busy = true}, Resumer());
  // The work replies as if it had not begun.
  output_.Clear();
  Error(scripts_->BusyReply());
  done_();
}

void LongWork::RunToEnd() {
  task_ = function_(*this);
  while (true) {
    task_.Resume();
    if (task_.done()) return;
    if (start_ != nullptr) {
      std::promise<void> called;
      std::exchange(start_, nullptr)([&] { called.set_value(); });
      called.get_future().wait();
    } else {
      Hold hold(slot_, &holds_);
      hold.WaitAndPass(*wanted_->db);
      std::exchange(wanted_, nullptr)->step(hold);
    }
  }
}

}  // namespace cloakroom
