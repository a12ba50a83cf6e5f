#include "replication/aof/aof_directory.h"

#include <cerrno>
#include <utility>
#include <variant>

#include "protocol/text.h"
#include "replication/files/file_status.h"

namespace cloakroom {
namespace {

/// A manifest's file is read up to this size: some ten thousand lines.
constexpr size_t kMaxManifestBytes = size_t{4} << 20;
/// The directory in which Redis before 7 keeps its log.
constexpr char kOldDirectory[] = ".";

std::string Joined(std::string_view directory, std::string_view name) {
  return directory == "." ? std::string(name) : Concat({directory, "/", name});
}

absl::StatusOr<std::string> ReadWhole(Files& files, const std::string& path) {
  const auto file = files.OpenForRead(path);
  if (!file.ok()) return file.status();
  std::string text;
  char buffer[4096];
  while (text.size() <= kMaxManifestBytes) {
    const absl::StatusOr<size_t> n = (*file)->Read(buffer);
    if (!n.ok()) return n.status();
    if (*n == 0) return text;
    text.append(buffer, *n);
  }
  return FileError(EFBIG, "read " + path);
}

/// In Redis' words, but on one line.
std::string Explain(const AofManifest::ParseError& error) {
  std::string text = "*** FATAL AOF MANIFEST FILE ERROR *** ";
  if (error.line > 0) {
    text += "Reading the manifest file, at line " + std::to_string(error.line) + " >>> '" +
            error.content + "': ";
  }
  return text + error.text;
}

bool ListsOnly(const AofManifest& manifest, const std::string& base) {
  return manifest.base() && manifest.base()->name == base && manifest.incrs().empty();
}

}  // namespace

AofDirectory::AofDirectory(Files& files, std::string path, std::string name)
    : files_(files), path_(std::move(path)), name_(std::move(name)) {}

std::string AofDirectory::PathOf(std::string_view file_name) const {
  return Joined(path_, file_name);
}

// ---- reading

absl::StatusOr<AofManifest> AofDirectory::ReadManifest() const {
  const absl::StatusOr<std::string> text = ReadWhole(files_, PathOf(ManifestName()));
  if (!text.ok()) return text.status();
  auto parsed = AofManifest::Parse(*text);
  if (auto* problem = std::get_if<AofManifest::ParseError>(&parsed)) {
    return absl::DataLossError(Explain(*problem));
  }
  return std::get<AofManifest>(std::move(parsed));
}

absl::Status AofDirectory::FindFiles(const AofManifest& manifest) const {
  std::vector<AofFileEntry> entries = manifest.incrs();
  if (manifest.base()) entries.insert(entries.begin(), *manifest.base());
  for (const AofFileEntry& entry : entries) {
    absl::Status found = files_.Find(PathOf(entry.name));
    if (absl::IsNotFound(found)) {
      return absl::DataLossError("the manifest names " + entry.name +
                                 ", and there is no such file in the directory");
    }
    if (!found.ok()) return found;
  }
  return absl::OkStatus();
}

absl::StatusOr<AofDirectory::Loaded> AofDirectory::Load(Files& files, const std::string& path,
                                                        const std::string& name) {
  AofDirectory directory(files, path, name);
  auto manifest = directory.ReadManifest();
  const bool listed = !absl::IsNotFound(manifest.status());
  if (listed && !manifest.ok()) return manifest.status();
  Loaded loaded;
  if (listed) loaded.manifest = *std::move(manifest);
  // The manifest lists only the old file, which is still outside: the server crashed in between.
  const bool halfway = listed && ListsOnly(loaded.manifest, name) &&
                       absl::IsNotFound(files.Find(directory.PathOf(name)));
  if (!listed || halfway) {
    const std::string old_path = Joined(kOldDirectory, name);
    absl::Status found = files.Find(old_path);
    if (!found.ok() && !absl::IsNotFound(found)) return found;
    if (found.ok()) {
      absl::Status taken = directory.TakeOver(old_path);
      if (!taken.ok()) return taken;
      loaded.manifest = directory.manifest();
      loaded.upgraded = true;
    }
  }
  absl::Status complete = directory.FindFiles(loaded.manifest);
  if (!complete.ok()) return complete;
  return loaded;
}

absl::Status AofDirectory::TakeOver(const std::string& old_path) {
  if (absl::Status status = Make(); !status.ok()) return status;
  MutexLock lock(mutex_);
  AofManifest manifest;
  manifest.AdoptOldFile(name_);
  // The manifest first: after a crash it says what the file outside is.
  if (absl::Status status = WriteTemporary(manifest); !status.ok()) return status;
  if (absl::Status status = Publish(); !status.ok()) return status;
  if (absl::Status status = files_.Rename(old_path, PathOf(name_)); !status.ok()) return status;
  if (absl::Status status = files_.SyncDirectory(path_); !status.ok()) return status;
  return files_.SyncDirectory(kOldDirectory);
}

void AofDirectory::Adopt(AofManifest manifest) {
  MutexLock lock(mutex_);
  manifest_ = std::move(manifest);
  next_.reset();
  // The first change also saves the names that an earlier process left unsaved.
  names_unsynced_ = true;
}

AofManifest AofDirectory::manifest() const {
  MutexLock lock(mutex_);
  return manifest_;
}

int64_t AofDirectory::BaseSize() const {
  MutexLock lock(mutex_);
  return BaseSizeLocked();
}

int64_t AofDirectory::BaseSizeLocked() const {
  if (!manifest_.base()) return 0;
  return files_.Size(PathOf(manifest_.base()->name)).value_or(0);
}

int64_t AofDirectory::Size() const {
  MutexLock lock(mutex_);
  int64_t size = BaseSizeLocked();
  for (const AofFileEntry& incr : manifest_.incrs()) {
    size += files_.Size(PathOf(incr.name)).value_or(0);
  }
  return size;
}

// ---- replacing the manifest

absl::Status AofDirectory::Make() {
  if (files_.Find(path_).ok()) return absl::OkStatus();
  return files_.MakeDirectory(path_);
}

absl::Status AofDirectory::Probe() {
  if (absl::Status status = Make(); !status.ok()) return status;
  const std::string path = PathOf("temp-probe-" + name_);
  if (auto file = files_.Create(path); !file.ok()) return file.status();
  return files_.Remove(path);
}

absl::Status AofDirectory::WriteTemporary(const AofManifest& manifest) {
  next_.reset();
  const auto file = files_.Create(PathOf("temp-" + ManifestName()));
  if (!file.ok()) return file.status();
  if (absl::Status status = (*file)->Append(manifest.Print()); !status.ok()) return status;
  if (absl::Status status = (*file)->Sync(); !status.ok()) return status;
  next_ = manifest;
  return absl::OkStatus();
}

absl::Status AofDirectory::Publish() {
  if (next_) {
    absl::Status renamed = files_.Rename(PathOf("temp-" + ManifestName()), PathOf(ManifestName()));
    if (!renamed.ok()) return renamed;
    manifest_ = *std::exchange(next_, std::nullopt);
    names_unsynced_ = true;
  }
  if (names_unsynced_) {
    if (absl::Status status = files_.SyncDirectory(path_); !status.ok()) return status;
    names_unsynced_ = false;
  }
  return absl::OkStatus();
}

absl::StatusOr<AofDirectory::NewIncr> AofDirectory::PrepareIncr(bool listed) {
  if (absl::Status status = Make(); !status.ok()) return status;
  MutexLock lock(mutex_);
  AofFileEntry incr = manifest_.NextIncr(name_);
  auto file = files_.Create(PathOf(incr.name));
  if (!file.ok()) return file.status();
  names_unsynced_ = true;
  if (listed) {
    AofManifest next = manifest_;
    next.AddIncr(incr);
    if (absl::Status status = WriteTemporary(next); !status.ok()) return status;
  } else {
    manifest_.SkipIncrNumber(incr.seq);
    unlisted_.push_back(incr);
  }
  return NewIncr{std::move(incr), *std::move(file)};
}

absl::Status AofDirectory::CommitIncr() {
  MutexLock lock(mutex_);
  return Publish();
}

absl::Status AofDirectory::InstallBase(const std::string& temporary_path, bool is_rdb,
                                       bool keep_incr) {
  MutexLock lock(mutex_);
  AofFileEntry base = manifest_.NextBase(name_, is_rdb);
  if (absl::Status status = files_.Rename(temporary_path, PathOf(base.name)); !status.ok())
    return status;
  AofManifest next = manifest_;
  if (!unlisted_.empty()) next.AddIncr(unlisted_.back());
  next.ReplaceBase(base, keep_incr ? 1 : 0);
  absl::Status status = WriteTemporary(next);
  if (status.ok()) status = Publish();
  if (!status.ok() && !(manifest_ == next)) {
    next_.reset();
    // Best effort: it takes the space of a whole keyspace on a disk that may be full.
    (void)files_.Remove(PathOf(base.name));
    return status;
  }
  if (!unlisted_.empty()) unlisted_.pop_back();
  orphans_.insert(orphans_.end(), unlisted_.begin(), unlisted_.end());
  unlisted_.clear();
  return status;
}

absl::Status AofDirectory::RemoveHistory() {
  MutexLock lock(mutex_);
  // They may be needed until the disk has the manifest that replaced them.
  if (names_unsynced_) {
    if (absl::Status status = files_.SyncDirectory(path_); !status.ok()) return status;
    names_unsynced_ = false;
  }
  std::vector<AofFileEntry> gone = manifest_.history();
  gone.insert(gone.end(), orphans_.begin(), orphans_.end());
  for (const AofFileEntry& entry : gone) {
    absl::Status removed = files_.Remove(PathOf(entry.name));
    if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  }
  orphans_.clear();
  // While another manifest waits for its rename, the lines remain until the next time: nobody
  // misses their files.
  if (manifest_.history().empty() || next_) return absl::OkStatus();
  AofManifest next = manifest_;
  next.ForgetHistory();
  absl::Status status = WriteTemporary(next);
  if (status.ok()) status = Publish();
  if (!status.ok()) next_.reset();
  return status;
}

void AofDirectory::DropUnlisted() {
  MutexLock lock(mutex_);
  for (const AofFileEntry& entry : unlisted_) (void)files_.Remove(PathOf(entry.name));
  unlisted_.clear();
}

}  // namespace cloakroom
