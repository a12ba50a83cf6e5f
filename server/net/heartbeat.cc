#include "server/net/heartbeat.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/context/supervisor.h"
#include "server/log/log.h"
#include "server/session/client_registry.h"
#include "storage/base/memory_meter.h"

namespace cloakroom {
namespace {

/// How old the status may be where there is no watchdog, or a slow one.
constexpr int64_t kPeriodMs = 5000;
/// Beats in a watchdog's interval: two may come late.
constexpr int64_t kBeatsPerInterval = 3;

constexpr double kMegabyte = 1024 * 1024;

}  // namespace

Heartbeat::Heartbeat(boost::asio::io_context& main_loop, Server& server,
                     std::vector<EventLoop*> loops)
    : server_(server), loops_(std::move(loops)), pulse_(loops_.size()), timer_(main_loop) {}

void Heartbeat::Start() {
  if (!HasSupervisor()) return;
  int64_t interval_ms = WatchdogIntervalMs();
  int64_t period_ms =
      interval_ms == 0 ? kPeriodMs : std::min(kPeriodMs, interval_ms / kBeatsPerInterval);
  period_ = std::chrono::milliseconds(std::max<int64_t>(period_ms, 1));
  Beat();
}

void Heartbeat::Beat() {
  std::optional<size_t> silent = pulse_.Silent();
  if (!silent) {
    TellSupervisor(absl::StrCat("WATCHDOG=1\nSTATUS=", StatusText(server_)));
    complained_ = false;
    AskAll();
  } else if (!std::exchange(complained_, true)) {
    LogWarning("Event loop {} has not answered for {} ms", *silent, period_.count());
  }
  timer_.expires_after(period_);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) Beat();
  });
}

void Heartbeat::AskAll() {
  pulse_.Ask();
  for (size_t i = 0; i < loops_.size(); ++i) {
    loops_[i]->Post([this, i] { pulse_.Answer(i); });
  }
}

std::string Heartbeat::StatusText(Server& server) {
  size_t keys = 0;
  for (int i = 0; i < server.keyspace().database_count(); ++i)
    keys += server.keyspace().db(i).size();
  return fmt::format("Ready: {} clients, {} keys, {:.1f} MB", server.clients().size(), keys,
                     static_cast<double>(MemoryMeter::UsedBytes()) / kMegabyte);
}

}  // namespace cloakroom
