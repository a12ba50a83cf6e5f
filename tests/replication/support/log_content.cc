#include "tests/replication/support/log_content.h"

#include "replication/aof/aof_directory.h"
#include "replication/aof/aof_reader.h"
#include "replication/files/file_status.h"
#include "replication/stream/command_encoder.h"

namespace cloakroom {
namespace {

std::string ReadText(Files& files, const std::string& path) {
  const auto file = files.OpenForRead(path);
  if (!file.ok()) return "";
  std::string text;
  char buffer[4096];
  while (const size_t n = (*file)->Read(buffer).value_or(0)) text.append(buffer, n);
  return text;
}

}  // namespace

LogContent ReadLog(Files& files, const std::string& path, const std::string& name) {
  LogContent content;
  const auto loaded = AofDirectory::Load(files, path, name);
  if (!loaded.ok()) {
    content.error = std::string(loaded.status().message());
    return content;
  }
  std::vector<AofFileEntry> entries = loaded->manifest.incrs();
  if (loaded->manifest.base()) entries.insert(entries.begin(), *loaded->manifest.base());
  for (size_t i = 0; i < entries.size() && content.error.empty(); i++) {
    std::string text = ReadText(files, AofDirectory(files, path, name).PathOf(entries[i].name));
    StringSource source(text);
    AofReader reader(source);
    AofReader::Status status;
    while ((status = reader.Next()) == AofReader::Status::kCommand) {
      content.records.emplace_back(reader.arguments().back());
    }
    bool last = i + 1 == entries.size();
    if (status == AofReader::Status::kEnd) continue;
    if (status == AofReader::Status::kTruncated && last) continue;
    content.error = entries[i].name + " is broken: " + MessageOf(reader.error());
  }
  return content;
}

std::string Record(int n) {
  std::string number = std::to_string(n);
  std::string_view arguments[] = {"SET", "k", number};
  std::string out;
  AppendCommand(out, arguments);
  return out;
}

}  // namespace cloakroom
