#include "server/net/event_loop.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>
#include <vector>

#include "server/context/thread_priority.h"
#include "server/net/connection.h"
#include "server/persistence/persistence.h"
#include "storage/base/memory_meter.h"

namespace cloakroom {
namespace {

/// As many as a round may answer clients.
constexpr size_t kKeptOutputs = 128;
/// Of one go of turns; the one under way then is finished.
constexpr int64_t kTurnsUs = 2000;
/// 10,000 connections at once would hold up the others for milliseconds.
constexpr size_t kChecksPerTick = 512;

}  // namespace

EventLoop::EventLoop(Server& server, LoopLoads& loads, int index)
    : server_(server),
      loads_(loads),
      index_(static_cast<size_t>(index)),
      context_(1),
      work_(context_.get_executor()),
      poller_(context_, [this] { SendReplies(); }),
      tick_(context_),
      executor_(server, server.thread(index)),
      read_buffer_(std::make_unique<std::array<char, kReadBytes>>()),
      held_(context_, server.persistence().journal()) {
  server.thread(index).serve_others = [this] { PollNested(); };
}

EventLoop::~EventLoop() = default;

void EventLoop::Start() {
  thread_ = std::thread([this] {
    MemoryMeter::RegisterThread();
    TakeShortTurns();
    Tick();
    poller_.Start();
    context_.run();
    // Connections refer to this loop, and their coroutines live in the context.
    answered_.clear();
    held_.Clear();
    line_.clear();
    connections_.clear();
  });
}

void EventLoop::Stop() {
  boost::asio::post(context_, [this] {
    for (const auto& connection : connections_) connection->Kill();
    work_.reset();
    tick_.cancel();
    boost::asio::post(context_, [this] { context_.stop(); });
  });
}

void EventLoop::Join() {
  if (thread_.joinable()) thread_.join();
}

void EventLoop::Add(std::shared_ptr<Connection> connection) {
  connection->place_ = connections_.size();
  connections_.push_back(std::move(connection));
}

void EventLoop::Remove(const Connection& connection) {
  std::shared_ptr<Connection>& place = connections_[connection.place_];
  if (place != connections_.back()) {
    connections_.back()->place_ = connection.place_;
    place = std::move(connections_.back());
  }
  connections_.pop_back();
  loads_.Leave(index_);
}

void EventLoop::LineUp(std::shared_ptr<Connection> connection) {
  line_.push_back(std::move(connection));
  ScheduleTurns();
}

// By a post, in front of which and behind which the context looks who is ready.
void EventLoop::ScheduleTurns() {
  if (nested_ || line_.empty() || std::exchange(turns_scheduled_, true)) return;
  boost::asio::post(context_, [this] {
    turns_scheduled_ = false;
    if (nested_) return;
    GiveTurns();
    ScheduleTurns();
  });
}

void EventLoop::GiveTurns() {
  const int64_t end_us = server_.clock().MonotonicUs() + kTurnsUs;
  for (size_t left = line_.size(); left > 0 && !line_.empty(); --left) {
    const std::shared_ptr<Connection> first = std::move(line_.front());
    line_.pop_front();
    first->TakeTurn();
    if (executor_.now_us() >= end_us) break;
  }
  SendReplies();
}

std::unique_ptr<OutputBuffer> EventLoop::TakeOutput(const std::shared_ptr<Connection>& connection) {
  answered_.push_back(connection);
  if (outputs_.empty()) return std::make_unique<OutputBuffer>();
  std::unique_ptr<OutputBuffer> output = std::move(outputs_.back());
  outputs_.pop_back();
  return output;
}

void EventLoop::GiveBack(std::unique_ptr<OutputBuffer> output) {
  output->Clear();
  if (outputs_.size() < kKeptOutputs) outputs_.push_back(std::move(output));
}

void EventLoop::SendReplies() {
  MemoryMeter::Publish();
  held_.EndRound();
  std::vector<std::shared_ptr<Connection>> answered = std::exchange(answered_, {});
  for (std::shared_ptr<Connection>& connection : answered) {
    if (!connection->SendReplies()) answered_.push_back(std::move(connection));
  }
  if (answered_.empty()) {
    // Its memory serves again.
    answered.clear();
    answered_ = std::move(answered);
  }
}

void EventLoop::PollNested() {
  // The others' replies need not wait for the script.
  SendReplies();
  // The script's arguments lie in the read buffer.
  auto read_buffer = std::exchange(read_buffer_, std::make_unique<std::array<char, kReadBytes>>());
  const bool outer = std::exchange(nested_, true);
  Connection* const script = ExchangeExecuting(nullptr);
  constexpr int kHandlers = 256;
  for (int i = 0; i < kHandlers && context_.poll_one() > 0; ++i) {
  }
  GiveTurns();
  poller_.Round();
  ExchangeExecuting(script);
  nested_ = outer;
  ScheduleTurns();
  read_buffer_ = std::move(read_buffer);
}

void EventLoop::Tick() {
  const auto ticks = static_cast<int64_t>(1 + connections_.size() / kChecksPerTick);
  tick_.expires_after(std::chrono::microseconds(1'000'000 / ticks));
  tick_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    CheckSome();
    Tick();
  });
}

void EventLoop::CheckSome() {
  const int64_t now_ms = server_.clock().NowMs();
  for (size_t i = 0; i < kChecksPerTick && next_check_ < connections_.size(); ++i) {
    const std::shared_ptr<Connection> connection = connections_[next_check_];
    connection->CheckLimits(now_ms);
    // The last one takes the place of one that is closed.
    if (connection->open_) ++next_check_;
  }
  if (next_check_ >= connections_.size()) next_check_ = 0;
}

}  // namespace cloakroom
