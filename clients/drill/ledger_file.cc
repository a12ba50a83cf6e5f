#include "clients/drill/ledger_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

absl::Status SystemError(const std::string& path, std::string_view what) {
  return absl::UnavailableError(
      Concat({path, ": ", what, ": ", std::generic_category().message(errno)}));
}

std::string Line(size_t client, const Ledger::Entry& entry) {
  return Concat({std::to_string(entry.at_ms), " ", std::to_string(client), " ",
                 std::to_string(entry.number), " ", ToText(entry.level), "\n"});
}

}  // namespace

LedgerFile::~LedgerFile() {
  if (file_ >= 0) close(file_);
}

absl::Status LedgerFile::Create(const std::string& path, const std::string& heading) {
  path_ = path;
  file_ = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) return SystemError(path, "cannot make the file");
  return Write(Concat({"# ", heading, "\n# ms client number level\n"}));
}

absl::Status LedgerFile::Append(const Ledger& ledger) {
  written_.resize(ledger.clients());
  std::string text;
  for (size_t client = 0; client < ledger.clients(); ++client) {
    const std::vector<Ledger::Entry>& entries = ledger.entries(client);
    std::vector<Level>& written = written_[client];
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i < written.size() && written[i] == entries[i].level) continue;
      text += Line(client, entries[i]);
      if (i == written.size()) written.emplace_back();
      written[i] = entries[i].level;
    }
  }
  return Write(text);
}

absl::Status LedgerFile::AppendLosses(const Ledger& ledger) {
  std::string text;
  for (size_t client = 0; client < ledger.clients(); ++client) {
    for (const Ledger::Entry& entry : ledger.entries(client)) {
      if (entry.lost) text += "lost " + Line(client, entry);
    }
  }
  return Write(text);
}

absl::Status LedgerFile::Write(const std::string& text) {
  std::string_view left = text;
  while (!left.empty()) {
    const ssize_t n = write(file_, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError(path_, "cannot write");
    left.remove_prefix(static_cast<size_t>(n));
  }
  return fsync(file_) == 0 ? absl::OkStatus() : SystemError(path_, "cannot reach the disk");
}

}  // namespace cloakroom::drill
