#include "tests/replication/simulator/sim_log.h"

#include <utility>
#include <vector>

#include "replication/aof/aof_reader.h"
#include "replication/files/bytes.h"
#include "replication/files/file_status.h"

namespace cloakroom {
namespace {

constexpr char kDirectory[] = "logs";
constexpr char kName[] = "log";
constexpr char kNewBase[] = "logs/new-base";

AppendOnlyFile::Options LogOptions(AofFsync fsync) {
  AppendOnlyFile::Options options;
  options.directory = kDirectory;
  options.name = kName;
  options.fsync = fsync;
  options.start_thread = false;
  return options;
}

std::string AllOf(FaultyFiles& disk, const std::string& path) {
  return disk.Content(path).value_or("");
}

}  // namespace

SimLog::SimLog(SimEnvironment& environment, SimMachine& machine, ChangeStream& stream)
    : environment_(environment),
      machine_(machine),
      stream_(stream),
      file_(stream, machine.disk, environment.clock, LogOptions(machine.fsync), nullptr) {}

// ---- at the start

void SimLog::Load(SimData& data,
                  const std::function<void(const std::optional<AofPlace>&)>& take_up) {
  const auto loaded = AofDirectory::Load(machine_.disk, kDirectory, kName);
  if (!loaded.ok()) {
    return environment_.Fail("a log cannot be read: " + std::string(loaded.status().message()));
  }
  std::vector<AofFileEntry> entries = loaded->manifest.incrs();
  if (loaded->manifest.base()) entries.insert(entries.begin(), *loaded->manifest.base());
  AofBacklog backlog(stream_, machine_.backlog_size);
  for (size_t i = 0; i < entries.size(); ++i) {
    LoadFile(file_.PathOf(entries[i].name), i + 1 == entries.size(), data, backlog);
  }
  if (backlog.makes_statements()) file_.NoteStatements();
  take_up(backlog.place());
}

void SimLog::LoadFile(const std::string& path, bool last, SimData& data, AofBacklog& backlog) {
  std::string text = AllOf(machine_.disk, path);
  backlog.BeginFile();
  int64_t offset = 0;
  if (AofReader::IsRdb(text)) {
    StringSource source(text);
    std::optional<SimData::Loaded> loaded = SimData::Load(source);
    if (!loaded) return environment_.Fail("the base of a log is damaged");
    for (const char* const field : {"repl-stream-db", "repl-id", "repl-offset"}) {
      const auto found = loaded->fields.find(field);
      if (found != loaded->fields.end()) backlog.NoteField(found->first, found->second);
    }
    data = std::move(loaded->data);
    offset = static_cast<int64_t>(text.size());
    text.clear();  // a base has nothing behind its RDB
  }
  data.set_db(0);
  StringSource source(text);
  AofReader reader(source, offset);
  reader.OnAnnotation([&](std::string_view line) { backlog.NoteAnnotation(line); });
  std::vector<std::vector<std::string>> transaction;
  AofReader::Status status = reader.Next();
  for (; status == AofReader::Status::kCommand; status = reader.Next()) {
    transaction.emplace_back(reader.arguments().begin(), reader.arguments().end());
    backlog.NoteCommand(reader.arguments(), reader.bytes(), reader.in_transaction());
    if (reader.in_transaction()) continue;
    for (const std::vector<std::string>& command : std::exchange(transaction, {})) {
      data.Run(std::vector<std::string_view>(command.begin(), command.end()));
    }
  }
  if (status == AofReader::Status::kTruncated && last) {
    (void)machine_.disk.Truncate(path, reader.whole_offset());
  } else if (status != AofReader::Status::kEnd) {
    environment_.Fail(path + ", a file of a log, is damaged: " + MessageOf(reader.error()));
  }
}

void SimLog::Resume(const std::string& first_base) {
  auto loaded = AofDirectory::Load(machine_.disk, kDirectory, kName);
  if (!loaded.ok()) return;
  std::optional<AppendOnlyFile::NewBase> base;
  if (loaded->manifest.empty()) {
    (void)file_.MakeDirectory();
    machine_.disk.Put(kNewBase, first_base);
    base = {kNewBase, true};
  }
  const absl::Status status = file_.Open(std::move(loaded->manifest), base);
  if (!status.ok()) environment_.Fail("a log cannot go on: " + std::string(status.message()));
  on_ = status.ok();
}

// ---- rewriting

void SimLog::Suspend() {
  base_.reset();
  scheduled_ = false;
  if (file_.state() == AppendOnlyFile::State::kOff) return;
  on_ = false;
  if (!file_.Close().ok()) machine_.doubtful_log = true;
}

void SimLog::BeginRewrite(const std::function<std::string()>& base) {
  if (!scheduled_ || base_) return;
  const bool begins = file_.state() == AppendOnlyFile::State::kOff;
  if (begins) {
    auto manifest = AofDirectory(machine_.disk, kDirectory, kName).ReadManifest();
    file_.Adopt(manifest.ok() ? *std::move(manifest) : AofManifest());
  }
  if (!file_.PrepareSwitch().ok()) return;  // again in a moment
  if (!file_.Switch()) return;
  scheduled_ = false;
  if (begins) on_ = true;
  base_ = base();
}

void SimLog::EndRewrite() {
  if (!base_) return;
  machine_.disk.Put(kNewBase, *std::exchange(base_, std::nullopt));
  if (file_.InstallBase({kNewBase, true}).ok()) {
    (void)file_.RemoveHistory();
    return;
  }
  (void)machine_.disk.Remove(kNewBase);
  if (file_.state() == AppendOnlyFile::State::kWaitForBase) Suspend();
  scheduled_ = true;
}

std::optional<int64_t> SimLog::SyncedPosition() const {
  if (!on_) return std::nullopt;
  const bool has_base = file_.state() == AppendOnlyFile::State::kOn;
  if (!has_base && environment_.mistake != SimMistake::kSyncedWithoutBase) return std::nullopt;
  if (environment_.mistake == SimMistake::kSyncedIsWritten) return file_.appended_offset();
  return file_.synced_offset();
}

}  // namespace cloakroom
