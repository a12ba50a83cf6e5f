#include "server/metrics/latency_monitor.h"

#include <algorithm>

namespace cloakroom {

void LatencyMonitor::Add(std::string_view event, int64_t unix_seconds, int64_t duration_ms) {
  MutexLock lock(mutex_);
  auto found = events_.find(event);
  if (found == events_.end()) found = events_.emplace(std::string(event), History{}).first;
  History& history = found->second;
  history.longest_ms = std::max(history.longest_ms, duration_ms);
  if (!history.samples.empty() && history.samples.back().unix_seconds == unix_seconds) {
    Sample& last = history.samples.back();
    last.duration_ms = std::max(last.duration_ms, duration_ms);
    return;
  }
  history.samples.push_back({unix_seconds, duration_ms});
  if (history.samples.size() > kSamples) history.samples.pop_front();
}

std::vector<LatencyMonitor::Event> LatencyMonitor::Events() const {
  MutexLock lock(mutex_);
  std::vector<Event> events;
  events.reserve(events_.size());
  for (const auto& [name, history] : events_) {
    events.push_back({name, {history.samples.begin(), history.samples.end()}, history.longest_ms});
  }
  return events;
}

LatencyMonitor::Event LatencyMonitor::Find(std::string_view event) const {
  MutexLock lock(mutex_);
  auto found = events_.find(event);
  if (found == events_.end()) return {std::string(event), {}, 0};
  const History& history = found->second;
  return {found->first, {history.samples.begin(), history.samples.end()}, history.longest_ms};
}

bool LatencyMonitor::Reset(std::string_view event) {
  MutexLock lock(mutex_);
  auto found = events_.find(event);
  if (found == events_.end()) return false;
  events_.erase(found);
  return true;
}

}  // namespace cloakroom
