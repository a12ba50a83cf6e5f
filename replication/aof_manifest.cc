#include "replication/aof_manifest.h"

#include <algorithm>
#include <utility>

#include "protocol/numbers.h"
#include "protocol/split_arguments.h"

namespace cloakroom {
namespace {

constexpr size_t kMaxLine = 1024;

/// In quotes where the words of the line would otherwise be other ones.
std::string Quoted(const std::string& name) {
  const bool plain = std::none_of(name.begin(), name.end(), [](unsigned char c) {
    return c <= ' ' || c >= 0x7f || c == '"' || c == '\'' || c == '\\';
  });
  if (plain) return name;
  constexpr char kHex[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (unsigned char c : name) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += static_cast<char>(c);
    } else if (c < ' ' || c >= 0x7f) {
      quoted += "\\x";
      quoted += kHex[c >> 4];
      quoted += kHex[c & 15];
    } else {
      quoted += static_cast<char>(c);
    }
  }
  return quoted + "\"";
}

std::string Line(const AofFile& file, char type) {
  return "file " + Quoted(file.name) + " seq " + std::to_string(file.seq) + " type " + type + "\n";
}

/// A line's fields.
struct Fields {
  std::string name;
  std::optional<int64_t> seq;
  char type = 0;
};

std::optional<std::string> ReadFields(std::string line, Fields* fields) {
  std::vector<std::string_view> words;
  if (!SplitArguments(line, words) || words.size() < 6 || words.size() % 2 != 0) {
    return "it is not of the form \"file NAME seq NUMBER type b|h|i\"";
  }
  for (size_t i = 0; i < words.size(); i += 2) {
    // Words that we do not know are those of a later version.
    if (words[i] == "file") fields->name = words[i + 1];
    if (words[i] == "seq") fields->seq = ParseInteger(words[i + 1]);
    if (words[i] == "type" && words[i + 1].size() == 1) fields->type = words[i + 1][0];
  }
  if (fields->name.empty()) return "it names no file";
  if (fields->name.find('/') != std::string::npos) return "its file is not in the log's own folder";
  if (!fields->seq || *fields->seq <= 0) return "it has no sequence number above 0";
  if (fields->type != 'b' && fields->type != 'h' && fields->type != 'i') {
    return "its type is none of b, h and i";
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> AofManifest::Parse(std::string_view text) {
  AofManifest parsed(name_);
  int number = 0;
  while (!text.empty()) {
    ++number;
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('#')) continue;
    std::optional<std::string> error =
        line.size() > kMaxLine ? "it is too long" : parsed.ParseLine(line);
    if (error) return "line " + std::to_string(number) + ": " + *error;
  }
  if (number == 0) return "it is empty";
  *this = std::move(parsed);
  return std::nullopt;
}

std::optional<std::string> AofManifest::ParseLine(std::string_view line) {
  Fields fields;
  if (auto error = ReadFields(std::string(line), &fields)) return error;
  AofFile file{std::move(fields.name), *fields.seq};
  switch (fields.type) {
    case 'b':
      if (base_) return "there is a base file already";
      last_base_seq_ = file.seq;
      base_ = std::move(file);
      break;
    case 'i':
      if (file.seq <= last_incr_seq_) return "its sequence number is not above the one before it";
      last_incr_seq_ = file.seq;
      incrs_.push_back(std::move(file));
      break;
    default:
      history_.push_back(std::move(file));
  }
  return std::nullopt;
}

std::string AofManifest::Text() const {
  std::string text;
  if (base_) text += Line(*base_, 'b');
  for (const AofFile& file : history_) text += Line(file, 'h');
  for (const AofFile& file : incrs_) text += Line(file, 'i');
  return text;
}

std::vector<AofFile> AofManifest::InOrder() const {
  std::vector<AofFile> files;
  if (base_) files.push_back(*base_);
  files.insert(files.end(), incrs_.begin(), incrs_.end());
  return files;
}

AofFile AofManifest::AddIncr() {
  const int64_t seq = ++last_incr_seq_;
  incrs_.push_back({name_ + "." + std::to_string(seq) + ".incr.aof", seq});
  return incrs_.back();
}

AofFile AofManifest::ReplaceBase(bool rdb, int64_t incr_seq) {
  if (base_) history_.push_back(*std::move(base_));
  auto kept = std::find_if(incrs_.begin(), incrs_.end(),
                           [&](const AofFile& file) { return file.seq >= incr_seq; });
  history_.insert(history_.end(), incrs_.begin(), kept);
  incrs_.erase(incrs_.begin(), kept);
  const int64_t seq = ++last_base_seq_;
  base_ = {name_ + "." + std::to_string(seq) + ".base." + (rdb ? "rdb" : "aof"), seq};
  return *base_;
}

void AofManifest::AdoptBase(std::string name) {
  last_base_seq_ = 1;
  base_ = {std::move(name), 1};
}

FileError WriteManifest(Files& files, const std::string& folder, const AofManifest& manifest) {
  const std::string path = folder + "/" + manifest.file_name();
  const std::string temporary = folder + "/temp-" + manifest.file_name();
  std::unique_ptr<WritableFile> file;
  if (FileError error = files.Create(temporary, &file)) return error;
  if (FileError error = file->Append(manifest.Text())) return error;
  if (FileError error = file->Sync()) return error;
  if (FileError error = files.Rename(temporary, path)) return error;
  return files.SyncDirectory(folder);
}

FileError ReadWholeFile(Files& files, const std::string& path, std::string* text) {
  std::unique_ptr<ReadableFile> file;
  if (FileError error = files.OpenForRead(path, &file)) return error;
  FileError error;
  char buffer[4096];
  while (true) {
    const int64_t n = file->Read(buffer, &error);
    if (n <= 0) return error;
    text->append(buffer, static_cast<size_t>(n));
  }
}

}  // namespace cloakroom
