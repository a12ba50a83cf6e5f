#include "server/net/event_loop.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>
#include <vector>

#include "server/net/connection.h"
#include "storage/memory_meter.h"

namespace cloakroom {

EventLoop::EventLoop(Server& server, int index)
    : server_(server),
      context_(1),
      work_(context_.get_executor()),
      tick_(context_),
      executor_(server, server.thread(index)),
      read_buffer_(std::make_unique<std::array<char, kReadBytes>>()),
      output_(std::make_unique<OutputBuffer>()) {
  server.thread(index).serve_others = [this] { PollNested(); };
}

EventLoop::~EventLoop() = default;

void EventLoop::Start() {
  thread_ = std::thread([this] {
    MemoryMeter::RegisterThread();
    Tick();
    context_.run();
    // Connections refer to this loop, and their coroutines live in the context.
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

void EventLoop::PollNested() {
  // The script's arguments lie in the read buffer, and its connection's replies in the output.
  auto read_buffer = std::exchange(read_buffer_, std::make_unique<std::array<char, kReadBytes>>());
  auto output = std::exchange(output_, std::make_unique<OutputBuffer>());
  constexpr int kHandlers = 256;
  for (int i = 0; i < kHandlers && context_.poll_one() > 0; ++i) {
  }
  read_buffer_ = std::move(read_buffer);
  output_ = std::move(output);
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
