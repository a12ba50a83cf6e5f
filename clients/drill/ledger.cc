#include "clients/drill/ledger.h"

#include <algorithm>

#include "protocol/numbers.h"

namespace cloakroom::drill {
namespace {

constexpr size_t kSessionBytes = 2000;

}  // namespace

std::string_view ToText(Level level) {
  switch (level) {
    case Level::kPlain:
      return "plain";
    case Level::kWait:
      return "WAIT 1";
    case Level::kWaitAof:
      return "WAITAOF 1 1";
  }
  return "";
}

void Ledger::Acknowledge(size_t client, uint64_t number, int64_t at_ms) {
  clients_[client].entries.push_back({.number = number, .at_ms = at_ms});
}

void Ledger::Raise(size_t client, uint64_t number, Level level, int64_t at_ms) {
  std::vector<Entry>& entries = clients_[client].entries;
  const auto entry =
      std::lower_bound(entries.begin(), entries.end(), number,
                       [](const Entry& one, uint64_t wanted) { return one.number < wanted; });
  if (entry == entries.end() || entry->number != number) return;
  entry->level = level;
  entry->at_ms = at_ms;
}

void Ledger::Observe(size_t client, std::optional<uint64_t> number) {
  Client& one = clients_[client];
  bool newly_lost = false;
  for (auto entry = one.entries.rbegin(); entry != one.entries.rend(); ++entry) {
    if (number && entry->number <= *number) break;
    newly_lost |= !entry->lost;
    entry->lost = true;
  }
  if (!newly_lost) return;
  if (number)
    one.older = true;
  else
    one.lost = true;
}

Ledger::Totals Ledger::Sum() const {
  Totals totals;
  for (const Client& client : clients_) {
    for (const Entry& entry : client.entries) {
      const auto level = static_cast<size_t>(entry.level);
      ++totals.acknowledged[level];
      totals.lost[level] += entry.lost ? 1 : 0;
    }
    if (client.entries.empty()) continue;
    ++totals.sessions;
    totals.sessions_lost += client.lost ? 1 : 0;
    totals.sessions_older += client.older ? 1 : 0;
    totals.sessions_unread += client.unread ? 1 : 0;
  }
  return totals;
}

std::string SessionData(uint64_t number) {
  std::string data = std::to_string(number) + ":";
  data.resize(kSessionBytes, 's');
  return data;
}

std::optional<uint64_t> NumberOfData(std::string_view data) {
  const size_t end = data.find(':');
  if (end == std::string_view::npos) return std::nullopt;
  return ParseUnsigned(data.substr(0, end));
}

}  // namespace cloakroom::drill
