#include "server/net/event_loop.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "server/context/thread_priority.h"
#include "server/info/client_line.h"
#include "server/log/log.h"
#include "server/net/connection.h"
#include "server/persistence/persistence.h"
#include "server/session/client_memory.h"
#include "storage/base/memory_meter.h"

namespace cloakroom {
namespace {

/// As many as the clients that a round may answer.
constexpr size_t kKeptOutputs = 128;
/// How long the loop gives turns; it finishes the turn under way.
constexpr int64_t kTurnsUs = 2000;
/// Checking 10,000 connections at once would hold up the others for milliseconds.
constexpr size_t kChecksPerTick = 512;
/// Steps of coroutines before clients have their turn again.
constexpr int kCoroutineSteps = 256;

}  // namespace

EventLoop::EventLoop(Server& server, LoopLoads& loads, RunningLoops& loops, int index)
    : server_(server),
      loads_(loads),
      loops_(loops),
      index_(static_cast<size_t>(index)),
      executor_(server, server.thread(index)),
      context_(1),
      work_(context_.get_executor()),
      tick_(timers_,
            [this] {
              CheckSome();
              Tick();
            }),
      round_(std::make_unique<Round>(executor_)),
      held_([this](std::function<void()> task) { Post(std::move(task)); },
            server.persistence().journal()) {
  server.thread(index).serve_others = [this] { PollNested(); };
}

EventLoop::~EventLoop() = default;

void EventLoop::Start() {
  thread_ = std::thread([this] {
    thread_id_ = std::this_thread::get_id();
    loops_.Enter(index_, *this);
    MemoryMeter::RegisterThread();
    TakeShortTurns();
    Tick();
    Run();
    // Connections refer to this loop, and their coroutines live in the context.
    held_.Clear();
    line_.clear();
    connections_.clear();
    closed_.clear();
    loops_.Leave(index_);
  });
}

void EventLoop::Stop() {
  Post([this] {
    for (const auto& connection : connections_) connection->Kill();
    // Behind the tasks that Kill has posted.
    Post([this] { stopped_ = true; });
  });
}

void EventLoop::Join() {
  if (thread_.joinable()) thread_.join();
}

void EventLoop::Post(Task task) {
  bool first = false;
  {
    MutexLock lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (OnThisThread()) {
    has_posted_ = true;
  } else if (first) {
    poller_.Wake();
  }
}

void EventLoop::TellOfPush(std::weak_ptr<Connection> connection) {
  EventLoop* const pusher = loops_.OfThisThread();
  if (pusher == nullptr || pusher == this) {
    return Post([this, connections = std::vector{std::move(connection)}] { HandOn(connections); });
  }
  std::vector<PushedTo>& pushed_to = pusher->pushed_to_;
  const auto place = std::ranges::find(pushed_to, this, &PushedTo::loop);
  PushedTo& own = place == pushed_to.end() ? pushed_to.emplace_back() : *place;
  own.loop = this;
  own.connections.push_back(std::move(connection));
}

void EventLoop::TellOthers() {
  for (PushedTo& pushed : std::exchange(pushed_to_, {})) {
    pushed.loop->Post([loop = pushed.loop, connections = std::move(pushed.connections)] {
      loop->HandOn(connections);
    });
  }
}

void EventLoop::HandOn(const std::vector<std::weak_ptr<Connection>>& connections) {
  for (const std::weak_ptr<Connection>& weak : connections) {
    if (const auto connection = weak.lock()) connection->HandOn();
  }
  SendReplies();
}

void EventLoop::Run() {
  while (!stopped_) {
    ServeOnce(/*may_wait=*/!HasWork());
    FreeClosed();
  }
}

bool EventLoop::HasWork() const {
  return has_posted_ || asio_is_due_ || !line_.empty() || !round_->empty();
}

void EventLoop::ServeOnce(bool may_wait) {
  poller_.SetAlarm(timers_.next());
  const Poller::Told told = poller_.Round(may_wait);
  round_->Serve();
  SendReplies();
  if (told.alarm) timers_.Run(std::chrono::steady_clock::now());
  if (told.woken || has_posted_) RunTasks();
  if (asio_is_due_) RunCoroutines();
  if (!line_.empty()) GiveTurns();
  SendReplies();
  if (server_.client_memory().over()) [[unlikely]]
    EvictClients();
}

void EventLoop::EvictClients() {
  const int64_t now_ms = server_.clock().NowMs();
  for (const std::shared_ptr<Client>& client : server_.client_memory().TakeLargest()) {
    LogNotice("Evicting client: {}", ClientLine(*client, now_ms));
    if (const auto link = client->link.lock()) link->Kill();
  }
}

void EventLoop::RunTasks() {
  {
    has_posted_ = false;
    MutexLock lock(mutex_);
    std::move(posted_.begin(), posted_.end(), std::back_inserter(tasks_));
    posted_.clear();
  }
  // A task that serves others meanwhile also runs the tasks behind it.
  while (!tasks_.empty()) {
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    std::move(task)();
  }
}

void EventLoop::RunCoroutines() {
  asio_is_due_ = false;
  int steps = 0;
  while (steps < kCoroutineSteps && context_.poll_one() > 0) ++steps;
  if (steps == kCoroutineSteps) asio_is_due_ = true;
}

void EventLoop::GiveTurns() {
  executor_.BeginBatch();
  const int64_t end_us = executor_.now_us() + kTurnsUs;
  for (size_t left = line_.size(); left > 0 && !line_.empty(); --left) {
    const std::shared_ptr<Connection> first = std::move(line_.front());
    line_.pop_front();
    first->TakeTurn();
    if (executor_.now_us() >= end_us) break;
  }
}

std::unique_ptr<OutputBuffer> EventLoop::TakeOutput(Connection& connection) {
  answered_.push_back(&connection);
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
  if (!pushed_to_.empty()) [[unlikely]]
    TellOthers();
  if (answered_.empty()) return;
  MemoryMeter::Publish();
  held_.EndRound();
  std::vector<Connection*> answered = std::exchange(answered_, {});
  for (Connection* connection : answered) {
    if (!connection->SendReplies()) answered_.push_back(connection);
  }
  if (answered_.empty()) {
    // Reuses its memory.
    answered.clear();
    answered_ = std::move(answered);
  }
}

void EventLoop::PollNested() {
  // The other clients' replies need not wait for the script.
  SendReplies();
  // The script's arguments are in the round's buffer, and its request in the batch.
  auto round = std::make_unique<Round>(executor_);
  round->TakeOver(*round_);
  round_.swap(round);
  auto batches = executor_.ExchangeBatches(std::make_unique<Batches>());
  Connection* const script = ExchangeExecuting(nullptr);
  ServeOnce(/*may_wait=*/false);
  ExchangeExecuting(script);
  executor_.ExchangeBatches(std::move(batches));
  round_.swap(round);
  // Takes back the connections that have more to read.
  round_->TakeOver(*round);
}

void EventLoop::Add(std::shared_ptr<Connection> connection) {
  connection->place_ = connections_.size();
  connections_.push_back(std::move(connection));
}

void EventLoop::Remove(const Connection& connection) {
  std::shared_ptr<Connection>& place = connections_[connection.place_];
  closed_.push_back(std::move(place));
  if (connection.place_ + 1 < connections_.size()) {
    connections_.back()->place_ = connection.place_;
    place = std::move(connections_.back());
  }
  connections_.pop_back();
  loads_.Leave(index_);
}

void EventLoop::FreeClosed() {
  if (closed_.empty()) return;
  round_->DropClosed();
  // Freeing them may close others.
  const std::vector<std::shared_ptr<Connection>> closed = std::exchange(closed_, {});
}

void EventLoop::Tick() {
  const auto ticks = static_cast<int64_t>(1 + connections_.size() / kChecksPerTick);
  tick_.Set(std::chrono::steady_clock::now() + std::chrono::microseconds(1'000'000 / ticks));
}

void EventLoop::CheckSome() {
  const int64_t now_ms = server_.clock().NowMs();
  for (size_t i = 0; i < kChecksPerTick && next_check_ < connections_.size(); ++i) {
    Connection& connection = *connections_[next_check_];
    connection.CheckLimits(now_ms);
    // If it was closed, the last one has taken its place.
    if (connection.open()) ++next_check_;
  }
  if (next_check_ >= connections_.size()) next_check_ = 0;
}

}  // namespace cloakroom
