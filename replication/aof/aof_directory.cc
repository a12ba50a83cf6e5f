#include "replication/aof/aof_directory.h"

#include <cerrno>
#include <utility>
#include <variant>

#include "protocol/text.h"

namespace cloakroom {
namespace {

/// A manifest's file is read up to here: some ten thousand lines.
constexpr size_t kMaxManifestBytes = size_t{4} << 20;

std::string Joined(std::string_view directory, std::string_view name) {
  return directory == "." ? std::string(name) : Concat({directory, "/", name});
}

FileError ReadWhole(Files& files, const std::string& path, std::string* text) {
  std::unique_ptr<ReadableFile> file;
  FileError error = files.OpenForRead(path, &file);
  if (error) return error;
  char buffer[4096];
  while (text->size() <= kMaxManifestBytes) {
    int64_t n = file->Read(buffer, &error);
    if (n <= 0) return error;
    text->append(buffer, static_cast<size_t>(n));
  }
  return {EFBIG, "read " + path};
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

/// A file that the manifest names and that is not there, or out of reach.
void LookForFiles(Files& files, const AofDirectory& directory, AofDirectory::Loaded& loaded) {
  const AofManifest& manifest = loaded.manifest;
  std::vector<AofFileEntry> entries = manifest.incrs();
  if (manifest.base()) entries.insert(entries.begin(), *manifest.base());
  for (const AofFileEntry& entry : entries) {
    const FileError error = files.Find(directory.PathOf(entry.name));
    if (!error) continue;
    if (!error.absent()) return loaded.Fail(error);
    loaded.error =
        "the manifest names " + entry.name + ", and there is no such file in the directory";
    return;
  }
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

void AofDirectory::Loaded::Fail(const FileError& failed) {
  error = failed.text();
  file_error = failed;
}

AofDirectory::Loaded AofDirectory::Load(Files& files, const std::string& path,
                                        const std::string& name, const std::string& old_directory) {
  Loaded loaded;
  AofDirectory directory(files, path, name);
  std::string manifest_path = directory.PathOf(directory.ManifestName());
  std::string text;
  const FileError unread = ReadWhole(files, manifest_path, &text);
  const bool listed = !unread.absent();
  if (listed) {
    if (unread) {
      loaded.Fail(unread);
      return loaded;
    }
    auto parsed = AofManifest::Parse(text);
    if (auto* problem = std::get_if<AofManifest::ParseError>(&parsed)) {
      loaded.error = Explain(*problem);
      return loaded;
    }
    loaded.manifest = std::get<AofManifest>(std::move(parsed));
  }
  std::string old_path = Joined(old_directory, name);
  // A manifest that lists the old file alone, while it is still outside: a crash came in between.
  bool halfway =
      listed && ListsOnly(loaded.manifest, name) && files.Find(directory.PathOf(name)).absent();
  if (!old_directory.empty() && (!listed || halfway)) {
    FileError error = files.Find(old_path);
    const bool absent = error.absent();
    if (!error) {
      error = directory.TakeOver(old_path, old_directory);
      loaded.manifest = directory.manifest();
      loaded.upgraded = !error;
    }
    if (error && !absent) loaded.Fail(error);
  }
  if (loaded.error.empty()) LookForFiles(files, directory, loaded);
  return loaded;
}

FileError AofDirectory::TakeOver(const std::string& old_path, const std::string& old_directory) {
  if (FileError error = Make()) return error;
  MutexLock lock(mutex_);
  AofManifest manifest;
  manifest.AdoptOldFile(name_);
  // The manifest first: it says after a crash what the file outside is.
  if (FileError error = WriteTemporary(manifest)) return error;
  if (FileError error = Publish()) return error;
  if (FileError error = files_.Rename(old_path, PathOf(name_))) return error;
  if (FileError error = files_.SyncDirectory(path_)) return error;
  return files_.SyncDirectory(old_directory);
}

void AofDirectory::Adopt(AofManifest manifest) {
  MutexLock lock(mutex_);
  manifest_ = std::move(manifest);
  next_.reset();
  // What an earlier process left unsaved is saved with our first change.
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

FileError AofDirectory::Make() {
  if (!files_.Find(path_)) return {};
  return files_.MakeDirectory(path_);
}

FileError AofDirectory::Probe() {
  if (FileError error = Make()) return error;
  const std::string path = PathOf("temp-probe-" + name_);
  std::unique_ptr<WritableFile> file;
  if (FileError error = files_.Create(path, &file)) return error;
  return files_.Remove(path);
}

FileError AofDirectory::WriteTemporary(const AofManifest& manifest) {
  next_.reset();
  std::unique_ptr<WritableFile> file;
  if (FileError error = files_.Create(PathOf("temp-" + ManifestName()), &file)) return error;
  if (FileError error = file->Append(manifest.Print())) return error;
  if (FileError error = file->Sync()) return error;
  next_ = manifest;
  return {};
}

FileError AofDirectory::Publish() {
  if (next_) {
    FileError error = files_.Rename(PathOf("temp-" + ManifestName()), PathOf(ManifestName()));
    if (error) return error;
    manifest_ = *std::exchange(next_, std::nullopt);
    names_unsynced_ = true;
  }
  if (names_unsynced_) {
    if (FileError error = files_.SyncDirectory(path_)) return error;
    names_unsynced_ = false;
  }
  return {};
}

FileError AofDirectory::PrepareIncr(bool listed, AofFileEntry* entry,
                                    std::unique_ptr<WritableFile>* file) {
  if (FileError error = Make()) return error;
  MutexLock lock(mutex_);
  AofFileEntry incr = manifest_.NextIncr(name_);
  if (FileError error = files_.Create(PathOf(incr.name), file)) return error;
  names_unsynced_ = true;
  if (listed) {
    AofManifest next = manifest_;
    next.AddIncr(incr);
    if (FileError error = WriteTemporary(next)) return error;
  } else {
    manifest_.SkipIncrNumber(incr.seq);
    unlisted_.push_back(incr);
  }
  *entry = std::move(incr);
  return {};
}

FileError AofDirectory::CommitIncr() {
  MutexLock lock(mutex_);
  return Publish();
}

FileError AofDirectory::InstallBase(const std::string& temporary_path, bool is_rdb,
                                    bool keep_incr) {
  MutexLock lock(mutex_);
  AofFileEntry base = manifest_.NextBase(name_, is_rdb);
  if (FileError error = files_.Rename(temporary_path, PathOf(base.name))) return error;
  AofManifest next = manifest_;
  if (!unlisted_.empty()) next.AddIncr(unlisted_.back());
  next.ReplaceBase(base, keep_incr ? 1 : 0);
  FileError error = WriteTemporary(next);
  if (!error) error = Publish();
  if (error && !(manifest_ == next)) {
    next_.reset();
    // Best effort: it takes the place of a whole keyspace on a disk that may be full.
    (void)files_.Remove(PathOf(base.name));
    return error;
  }
  if (!unlisted_.empty()) unlisted_.pop_back();
  orphans_.insert(orphans_.end(), unlisted_.begin(), unlisted_.end());
  unlisted_.clear();
  return error;
}

FileError AofDirectory::RemoveHistory() {
  MutexLock lock(mutex_);
  // Before the disk has the manifest that replaced them, they may still be needed.
  if (names_unsynced_) {
    if (FileError error = files_.SyncDirectory(path_)) return error;
    names_unsynced_ = false;
  }
  std::vector<AofFileEntry> gone = manifest_.history();
  gone.insert(gone.end(), orphans_.begin(), orphans_.end());
  for (const AofFileEntry& entry : gone) {
    FileError error = files_.Remove(PathOf(entry.name));
    if (error && error.code != ENOENT) return error;
  }
  orphans_.clear();
  // While another manifest waits for its rename, the lines stay for the next time: they are of
  // files that nobody misses.
  if (manifest_.history().empty() || next_) return {};
  AofManifest next = manifest_;
  next.ForgetHistory();
  FileError error = WriteTemporary(next);
  if (!error) error = Publish();
  if (error) next_.reset();
  return error;
}

void AofDirectory::DropUnlisted() {
  MutexLock lock(mutex_);
  for (const AofFileEntry& entry : unlisted_) (void)files_.Remove(PathOf(entry.name));
  unlisted_.clear();
}

}  // namespace cloakroom
