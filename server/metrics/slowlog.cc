#include "server/metrics/slowlog.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace cloakroom {
namespace {

std::vector<std::string> Shortened(std::span<const std::string_view> args) {
  std::vector<std::string> kept;
  size_t shown = args.size() > SlowLog::kMaxArguments ? SlowLog::kMaxArguments - 1 : args.size();
  for (size_t i = 0; i < shown; ++i) {
    std::string text(args[i].substr(0, SlowLog::kMaxArgumentBytes));
    if (args[i].size() > text.size()) {
      absl::StrAppend(&text, "... (", args[i].size() - text.size(), " more bytes)");
    }
    kept.push_back(std::move(text));
  }
  if (shown < args.size()) {
    kept.push_back(absl::StrCat("... (", args.size() - shown, " more arguments)"));
  }
  return kept;
}

}  // namespace

void SlowLog::Add(std::span<const std::string_view> args, int64_t unix_seconds, int64_t duration_us,
                  std::string address, std::string client_name, size_t limit) {
  Record record{
      0, unix_seconds, duration_us, Shortened(args), std::move(address), std::move(client_name)};
  MutexLock lock(mutex_);
  record.id = next_id_++;
  records_.push_front(std::move(record));
  while (records_.size() > limit) records_.pop_back();
}

std::vector<SlowLog::Record> SlowLog::Newest(size_t count) const {
  MutexLock lock(mutex_);
  auto end = records_.begin() + static_cast<ptrdiff_t>(std::min(count, records_.size()));
  return {records_.begin(), end};
}

size_t SlowLog::size() const {
  MutexLock lock(mutex_);
  return records_.size();
}

void SlowLog::Reset() {
  MutexLock lock(mutex_);
  records_.clear();
}

}  // namespace cloakroom
