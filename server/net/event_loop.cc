#include "server/net/event_loop.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>
#include <vector>

#include "server/net/connection.h"
#include "server/thread_priority.h"
#include "storage/memory_meter.h"

namespace cloakroom {
namespace {

/// As many as a round may answer clients.
constexpr size_t kKeptOutputs = 128;

}  // namespace

EventLoop::EventLoop(Server& server, int index)
    : server_(server),
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
    connections_.clear();
  });
}

void EventLoop::Stop() {
  boost::asio::post(context_, [this] {
    std::vector<std::shared_ptr<Connection>> open(connections_.begin(), connections_.end());
    for (const auto& connection : open) connection->Kill();
    work_.reset();
    tick_.cancel();
    boost::asio::post(context_, [this] { context_.stop(); });
  });
}

void EventLoop::Join() {
  if (thread_.joinable()) thread_.join();
}

void EventLoop::Add(std::shared_ptr<Connection> connection) {
  connections_.insert(std::move(connection));
}

void EventLoop::Remove(const std::shared_ptr<Connection>& connection) {
  connections_.erase(connection);
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
  constexpr int kHandlers = 256;
  for (int i = 0; i < kHandlers && context_.poll_one() > 0; ++i) {
  }
  poller_.Round();
  read_buffer_ = std::move(read_buffer);
}

void EventLoop::Tick() {
  tick_.expires_after(std::chrono::seconds(1));
  tick_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    int64_t now_ms = server_.clock().NowMs();
    std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
    for (const auto& connection : all) connection->CheckLimits(now_ms);
    Tick();
  });
}

}  // namespace cloakroom
