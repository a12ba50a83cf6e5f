#include "server/metrics/monitor_feed.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "protocol/text.h"

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

template <typename Arguments>
std::shared_ptr<const std::string> Line(int64_t unix_us, int db, std::string_view source,
                                        const Arguments& args) {
  auto line = std::make_shared<std::string>(absl::StrFormat(
      "+%d.%06d [%d ", unix_us / 1'000'000, static_cast<int>(unix_us % 1'000'000), db));
  line->append(source);
  line->push_back(']');
  for (std::string_view arg : args) {
    line->push_back(' ');
    AppendQuoted(arg, line.get());
  }
  line->append("\r\n");
  return line;
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

void MonitorNotes::Add(int64_t unix_us, int db, std::string_view source,
                       std::span<const std::string_view> args) {
  notes_.push_back({unix_us, db, std::string(source), {args.begin(), args.end()}});
}

std::vector<std::shared_ptr<ClientLink>> MonitorFeed::Links() {
  MutexLock lock(mutex_);
  return links_;
}

void MonitorFeed::Tell(int64_t unix_us, int db, std::string_view source,
                       std::span<const std::string_view> args, Pusher push) {
  const auto line = Line(unix_us, db, source, args);
  for (const auto& link : Links()) push(link, {{line, *line}, nullptr, nullptr});
}

void MonitorFeed::Tell(MonitorNotes& notes, Pusher push) {
  const std::vector<MonitorNotes::Note> told = std::exchange(notes.notes_, {});
  if (told.empty()) return;
  const std::vector<std::shared_ptr<ClientLink>> links = Links();
  for (const MonitorNotes::Note& note : told) {
    const auto line = Line(note.unix_us, note.db, note.source, note.args);
    for (const auto& link : links) push(link, {{line, *line}, nullptr, nullptr});
  }
}

std::string MonitorName(const Client& client) {
  if (!client.unix_socket) return client.address.Text();
  const std::string text = client.address.Text();
  const std::string_view address = text;
  return Concat({"unix:", address.substr(0, address.rfind(':'))});
}

}  // namespace cloakroom
