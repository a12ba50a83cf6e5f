#include "replication/link/discarded_tail.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "protocol/numbers.h"
#include "protocol/text.h"
#include "replication/files/file_sink.h"
#include "replication/link/record_reader.h"
#include "replication/stream/command_encoder.h"

namespace cloakroom {
namespace {

constexpr std::string_view kUndecided = "undecided-";
constexpr std::string_view kDiscarded = "discarded-";
constexpr std::string_view kSuffix = ".aof";
constexpr size_t kMostFiles = 3;
constexpr int kUnknown = -1;

using Arguments = std::span<const std::string_view>;

/// Calls `visit` with the reader at each record, and with the position behind the record.
absl::Status VisitRecords(ChangeStream& stream, int64_t begin, int64_t end,
                          absl::FunctionRef<void(const RecordReader&, int64_t)> visit) {
  RecordReader reader({}, begin);
  struct Piece {
    int64_t end;
    std::vector<char> bytes;
  };
  // What the reader may still look at.
  std::deque<Piece> pieces;
  int64_t fed = begin;
  absl::Status status;
  stream.Read(begin, end, [&](std::string_view bytes) {
    if (!status.ok()) return;
    fed += static_cast<int64_t>(bytes.size());
    pieces.push_back({fed, {bytes.begin(), bytes.end()}});
    reader.Feed(pieces.back().bytes);
    RecordReader::Status next = RecordReader::Status::kRecord;
    while ((next = reader.Next()) == RecordReader::Status::kRecord) visit(reader, reader.offset());
    if (next == RecordReader::Status::kError) status = reader.error();
    while (!pieces.empty() && pieces.front().end <= reader.offset()) pieces.pop_front();
  });
  return status;
}

/// The database that the command selects.
std::optional<int> Selects(Arguments arguments) {
  if (arguments.size() != 2 || !EqualsIgnoreCase(arguments[0], "SELECT")) return {};
  const std::optional<int64_t> db = ParseInteger(arguments[1]);
  return db ? std::optional(static_cast<int>(*db)) : std::nullopt;
}

bool ChangesData(Arguments arguments) {
  constexpr std::string_view kOthers[] = {"PING", "REPLCONF", "PUBLISH", "SPUBLISH"};
  return std::ranges::none_of(
      kOthers, [&](std::string_view name) { return EqualsIgnoreCase(arguments[0], name); });
}

/// Which database is selected at the tail's beginning.
absl::StatusOr<int> FirstDb(ChangeStream& stream, const DiscardedTail& tail) {
  int db = kUnknown;
  bool selects_later = false;
  absl::Status status = VisitRecords(
      stream, tail.first_record, tail.end, [&](const RecordReader& record, int64_t end) {
        for (size_t i = 0; i < record.commands(); ++i) {
          const std::optional<int> selected = Selects(record.arguments(i));
          if (!selected) continue;
          if (end <= tail.position) db = *selected;
          selects_later = selects_later || end > tail.position;
        }
      });
  if (!status.ok()) return status;
  return db == kUnknown && !selects_later ? tail.last_db : db;
}

/// Writes records without what changes no data, and a SELECT where the database is another.
class TailWriter {
 public:
  /// `db`: selected before the first record.
  TailWriter(ByteSink& sink, int db) : sink_(sink), db_(db) {}

  void Write(const RecordReader& record) {
    bool opened = false;
    for (size_t i = 0; i < record.commands(); ++i) {
      const Arguments arguments = record.arguments(i);
      if (const std::optional<int> db = Selects(arguments)) {
        db_ = *db;
      } else if (ChangesData(arguments)) {
        if (record.transaction() && !std::exchange(opened, true)) Put({"MULTI"});
        if (std::exchange(written_db_, db_) != db_) Put({"SELECT", std::to_string(db_)});
        Put(arguments);
        ++commands_;
      }
    }
    if (opened) Put({"EXEC"});
  }

  int64_t commands() const { return commands_; }

 private:
  void Put(std::initializer_list<std::string_view> arguments) {
    Put(Arguments(arguments.begin(), arguments.size()));
  }
  void Put(Arguments arguments) {
    bytes_.clear();
    AppendCommand(bytes_, arguments);
    sink_.Append(bytes_);
  }

  ByteSink& sink_;
  int db_;
  int written_db_ = kUnknown;
  int64_t commands_ = 0;
  std::string bytes_;
};

absl::StatusOr<int64_t> WriteTail(ChangeStream& stream, const DiscardedTail& tail,
                                  const std::string& path, Files& files) {
  const absl::StatusOr<int> db = FirstDb(stream, tail);
  if (!db.ok()) return db.status();
  auto file = files.Create(path);
  if (!file.ok()) return file.status();
  FileSink sink(**file, /*steady=*/true);
  TailWriter writer(sink, *db);
  absl::Status read = VisitRecords(stream, tail.first_record, tail.end,
                                   [&](const RecordReader& record, int64_t end) {
                                     if (end > tail.position) writer.Write(record);
                                   });
  if (!read.ok()) return read;
  if (absl::Status status = sink.Finish(); !status.ok()) return status;
  return writer.commands();
}

/// The names of the files of one form, the newest first, for their names go on with their time.
absl::StatusOr<std::vector<std::string>> NamesOf(Files& files, std::string_view prefix) {
  absl::StatusOr<std::vector<std::string>> names = files.List(".");
  if (!names.ok()) return names;
  std::erase_if(*names, [&](std::string_view name) {
    return !name.starts_with(prefix) || !name.ends_with(kSuffix);
  });
  std::ranges::sort(*names, std::greater<>());
  return names;
}

void RemoveOldFiles(Files& files, std::string_view prefix) {
  const absl::StatusOr<std::vector<std::string>> names = NamesOf(files, prefix);
  if (!names.ok()) return;
  for (size_t i = kMostFiles; i < names->size(); ++i) (void)files.Remove((*names)[i]);
}

}  // namespace

absl::StatusOr<std::optional<TailFile>> WriteUndecidedTail(ChangeStream& stream,
                                                           const DiscardedTail& tail,
                                                           absl::Time now, Files& files) {
  if (tail.position >= tail.end) return std::nullopt;
  const std::string name =
      Concat({kUndecided, absl::FormatTime("%Y%m%dT%H%M%E3SZ", now, absl::UTCTimeZone()), "-",
              tail.begin.id.text(), "-", std::to_string(tail.begin.offset), kSuffix});
  const std::string unfinished = Concat({"temp-", name});
  const absl::StatusOr<int64_t> commands = WriteTail(stream, tail, unfinished, files);
  absl::Status status = commands.status();
  if (commands.value_or(0) > 0) status = files.Rename(unfinished, name);
  if (!status.ok() || *commands == 0) {
    (void)files.Remove(unfinished);
    if (!status.ok()) return status;
    return std::nullopt;
  }
  if (status = files.SyncDirectory("."); !status.ok()) return status;
  RemoveOldFiles(files, kUndecided);
  return TailFile{files.Absolute(name), *commands};
}

absl::StatusOr<std::vector<std::string>> KeepDiscardedTails(Files& files) {
  const absl::StatusOr<std::vector<std::string>> names = NamesOf(files, kUndecided);
  if (!names.ok()) return names.status();
  std::vector<std::string> paths;
  for (const std::string& name : *names) {
    const std::string kept = Concat({kDiscarded, std::string_view(name).substr(kUndecided.size())});
    if (absl::Status status = files.Rename(name, kept); !status.ok()) return status;
    paths.push_back(files.Absolute(kept));
  }
  if (paths.empty()) return paths;
  if (absl::Status status = files.SyncDirectory("."); !status.ok()) return status;
  RemoveOldFiles(files, kDiscarded);
  return paths;
}

absl::Status RemoveUndecidedTails(Files& files) {
  const absl::StatusOr<std::vector<std::string>> names = NamesOf(files, kUndecided);
  if (!names.ok()) return names.status();
  absl::Status status;
  for (const std::string& name : *names) status.Update(files.Remove(name));
  return status;
}

}  // namespace cloakroom
