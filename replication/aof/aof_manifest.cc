#include "replication/aof/aof_manifest.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "protocol/split_arguments.h"
#include "protocol/text.h"
#include "replication/files/file_status.h"

namespace cloakroom {
namespace {

constexpr char kBadFormat[] = "Invalid AOF manifest file format";

bool NeedsQuotes(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](unsigned char c) {
    return c == '\\' || c == '"' || c == '\'' || c <= ' ' || c >= 0x7f;
  });
}

std::string Escape(char c) {
  switch (c) {
    case '\\':
    case '"':
      return {'\\', c};
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\a':
      return "\\a";
    case '\b':
      return "\\b";
    default:
      if (absl::ascii_isprint(static_cast<unsigned char>(c))) return std::string(1, c);
      return absl::StrCat("\\x", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
  }
}

/// Quotes as SplitArguments() reads it back.
std::string Quoted(std::string_view name) {
  if (!NeedsQuotes(name)) return std::string(name);
  std::string text = "\"";
  for (char c : name) text += Escape(c);
  return text + "\"";
}

void PrintLine(const AofFileEntry& entry, std::string& text) {
  absl::StrAppend(&text, "file ", Quoted(entry.name), " seq ", entry.seq, " type ",
                  std::string(1, static_cast<char>(entry.type)), "\n");
}

/// The number at the front, as Redis reads it: 0 if there is none.
int64_t LeadingNumber(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// "appendonly.aof.3.incr.aof"
std::string FileName(std::string_view prefix, int64_t seq, std::string_view suffix) {
  return Concat({prefix, ".", std::to_string(seq), suffix});
}

/// The entry of one line.
absl::StatusOr<AofFileEntry> ParseEntry(std::string line) {
  std::vector<std::string_view> words;
  if (!SplitArguments(line, words) || words.size() < 6 || words.size() % 2 != 0) {
    return absl::DataLossError(kBadFormat);
  }
  AofFileEntry entry;
  char type = '\0';
  for (size_t i = 0; i < words.size(); i += 2) {
    std::string_view value = words[i + 1];
    if (EqualsIgnoreCase(words[i], "file")) {
      // The rest would name a file in another directory.
      if (value.find_first_of("/\\") != value.npos) {
        return absl::DataLossError("File can't be a path, just a filename");
      }
      entry.name = value;
    } else if (EqualsIgnoreCase(words[i], "seq")) {
      entry.seq = LeadingNumber(value);
    } else if (EqualsIgnoreCase(words[i], "type")) {
      type = value.empty() ? '\0' : value[0];
    }
  }
  if (entry.name.empty() || entry.seq == 0 || type == '\0') {
    return absl::DataLossError(kBadFormat);
  }
  entry.type = static_cast<AofFileType>(type);
  return entry;
}

}  // namespace

absl::Status AofManifest::Add(AofFileEntry entry) {
  switch (entry.type) {
    case AofFileType::kBase:
      if (base_) return absl::DataLossError("Found duplicate base file information");
      base_seq_ = entry.seq;
      base_ = std::move(entry);
      return absl::OkStatus();
    case AofFileType::kHistory:
      history_.push_back(std::move(entry));
      return absl::OkStatus();
    case AofFileType::kIncr:
      if (entry.seq <= incr_seq_) {
        return absl::DataLossError("Found a non-monotonic sequence number");
      }
      AddIncr(std::move(entry));
      return absl::OkStatus();
  }
  return absl::DataLossError("Unknown AOF file type");
}

std::variant<AofManifest, AofManifest::ParseError> AofManifest::Parse(std::string_view text) {
  AofManifest manifest;
  int number = 0;
  if (text.empty()) return ParseError{0, "Found an empty AOF manifest", ""};
  while (!text.empty()) {
    number++;
    size_t end = text.substr(0, kMaxLine).find('\n');
    std::string_view line = text.substr(0, std::min(end, kMaxLine));
    // A comment may have any length, also in pieces that begin with '#'.
    if (!line.starts_with('#') && end == text.npos) {
      return ParseError{number, "The AOF manifest file contains too long line", std::string(line)};
    }
    text.remove_prefix(end == text.npos ? line.size() : end + 1);
    if (line.starts_with('#')) continue;
    std::string trimmed(line);
    absl::StripAsciiWhitespace(&trimmed);
    absl::StatusOr<AofFileEntry> entry = ParseEntry(trimmed);
    const absl::Status added = entry.ok() ? manifest.Add(*std::move(entry)) : entry.status();
    if (!added.ok()) return ParseError{number, MessageOf(added), std::move(trimmed)};
  }
  return manifest;
}

std::string AofManifest::Print() const {
  std::string text;
  if (base_) PrintLine(*base_, text);
  for (const AofFileEntry& entry : history_) PrintLine(entry, text);
  for (const AofFileEntry& entry : incrs_) PrintLine(entry, text);
  return text;
}

AofFileEntry AofManifest::NextBase(std::string_view prefix, bool is_rdb) const {
  int64_t seq = base_seq_ + 1;
  return {FileName(prefix, seq, is_rdb ? ".base.rdb" : ".base.aof"), seq, AofFileType::kBase};
}

AofFileEntry AofManifest::NextIncr(std::string_view prefix) const {
  int64_t seq = incr_seq_ + 1;
  return {FileName(prefix, seq, ".incr.aof"), seq, AofFileType::kIncr};
}

void AofManifest::AddIncr(AofFileEntry incr) {
  SkipIncrNumber(incr.seq);
  incrs_.push_back(std::move(incr));
}

void AofManifest::ReplaceBase(AofFileEntry base, size_t incrs_kept) {
  auto retire = [&](AofFileEntry entry) {
    entry.type = AofFileType::kHistory;
    history_.push_back(std::move(entry));
  };
  if (base_) retire(*std::move(base_));
  auto kept = incrs_.end() - static_cast<ptrdiff_t>(std::min(incrs_kept, incrs_.size()));
  std::for_each(incrs_.begin(), kept, retire);
  incrs_.erase(incrs_.begin(), kept);
  base_seq_ = std::max(base_seq_, base.seq);
  base_ = std::move(base);
}

void AofManifest::AdoptOldFile(std::string name) {
  ReplaceBase({std::move(name), base_seq_ + 1, AofFileType::kBase}, 0);
}

void AofManifest::SkipIncrNumber(int64_t seq) { incr_seq_ = std::max(incr_seq_, seq); }

}  // namespace cloakroom
