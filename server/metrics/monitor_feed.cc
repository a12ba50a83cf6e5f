#include "server/metrics/monitor_feed.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace cloakroom {
namespace {

/// As Redis shows arguments: in double quotes, with C escapes for what is not printable.
void AppendQuoted(std::string_view text, std::string* out) {
  out->push_back('"');
  for (char c : text) {
    switch (c) {
      case '\\':
      case '"':
        out->push_back('\\');
        out->push_back(c);
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\r':
        out->append("\\r");
        break;
      case '\t':
        out->append("\\t");
        break;
      case '\a':
        out->append("\\a");
        break;
      case '\b':
        out->append("\\b");
        break;
      default:
        if (absl::ascii_isprint(static_cast<unsigned char>(c))) {
          out->push_back(c);
        } else {
          absl::StrAppendFormat(out, "\\x%02x", static_cast<unsigned char>(c));
        }
    }
  }
  out->push_back('"');
}

}  // namespace

void MonitorFeed::Add(std::shared_ptr<ClientLink> link) {
  MutexLock lock(mutex_);
  links_.push_back(std::move(link));
  count_ = static_cast<int>(links_.size());
}

void MonitorFeed::Remove(const ClientLink* link) {
  MutexLock lock(mutex_);
  std::erase_if(links_, [&](const auto& other) { return other.get() == link; });
  count_ = static_cast<int>(links_.size());
}

void MonitorFeed::Tell(int64_t unix_us, int db, std::string_view source, CommandArguments args) {
  auto line = std::make_shared<std::string>(absl::StrFormat(
      "+%d.%06d [%d ", unix_us / 1'000'000, static_cast<int>(unix_us % 1'000'000), db));
  line->append(source);
  line->push_back(']');
  for (std::string_view arg : args) {
    line->push_back(' ');
    AppendQuoted(arg, line.get());
  }
  line->append("\r\n");
  std::vector<std::shared_ptr<ClientLink>> links;
  {
    MutexLock lock(mutex_);
    links = links_;
  }
  for (const auto& link : links) {
    Pushed pushed{{line, *line}, nullptr, nullptr};
    pusher_ ? pusher_(link, std::move(pushed)) : link->Push(std::move(pushed));
  }
}

}  // namespace cloakroom
