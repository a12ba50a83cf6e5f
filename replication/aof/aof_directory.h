#ifndef CLOAKROOM_REPLICATION_AOF_AOF_DIRECTORY_H_
#define CLOAKROOM_REPLICATION_AOF_AOF_DIRECTORY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/aof/aof_manifest.h"
#include "replication/files/files.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The directory of the append-only log: the manifest in force, in memory and on the disk, and the
/// files that come and go. A manifest is replaced whole: temporary file, fsync, rename, fsync of
/// the directory. A file that the manifest on the disk may name is never removed.
///
/// Thread rule: any thread; calls wait for each other and for the disk.
class AofDirectory {
 public:
  /// `files` outlives it. `path` is `appenddirname`, `name` is `appendfilename`.
  AofDirectory(Files& files, std::string path, std::string name);

  /// What a manifest's reader may come to: exactly one of manifest and error.
  struct Loaded {
    AofManifest manifest;   ///< empty when there is no log
    std::string error;      ///< for the log, whole; empty when all went well
    FileError file_error;   ///< what the system said, if that is the error
    bool upgraded = false;  ///< a file of Redis before 7 was moved into the directory as its base

    void Fail(const FileError& failed);
  };
  /// Reads the manifest, and takes over a log of one file in the working directory (or in
  /// `old_directory`, or nowhere when it is ""), as Redis 7 does at its start. Files that the
  /// manifest names are there.
  static Loaded Load(Files& files, const std::string& path, const std::string& name,
                     const std::string& old_directory = ".");

  /// Makes the directory, unless it is there.
  FileError Make();
  /// Makes the directory, and a file in it, which goes again.
  FileError Probe();
  std::string PathOf(std::string_view file_name) const;
  std::string ManifestName() const { return name_ + ".manifest"; }

  /// Makes `manifest` the one in memory; it is what lies on the disk.
  void Adopt(AofManifest manifest);
  AofManifest manifest() const;
  /// Bytes of the files that count, as the disk has them.
  int64_t Size() const;
  int64_t BaseSize() const;

  /// Makes an empty incr file, which no manifest lists yet, and the manifest that will list it.
  /// With `listed` false the file stays out of the manifest until InstallBase().
  FileError PrepareIncr(bool listed, AofFileEntry* entry, std::unique_ptr<WritableFile>* file);
  /// Puts the prepared manifest in force, and saves the names of new files. May be called again
  /// after an error, until it succeeds.
  FileError CommitIncr();

  /// Renames the temporary base to the next name and lists it, with the newest incr file if
  /// `keep_incr`; the others become history. After an error the old manifest is in force, or, if
  /// only saving its name failed, the new one: both name files that hold everything.
  FileError InstallBase(const std::string& temporary_path, bool is_rdb, bool keep_incr);
  /// Deletes history and incr files that were never listed. After an error some may be left.
  FileError RemoveHistory();
  /// The log is turned off before its first base: its files are nothing.
  void DropUnlisted();

 private:
  /// Makes a log of one file, at `old_path`, the base of this directory.
  FileError TakeOver(const std::string& old_path, const std::string& old_directory);
  int64_t BaseSizeLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  FileError WriteTemporary(const AofManifest& manifest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  FileError Publish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Files& files_;
  const std::string path_;
  const std::string name_;

  mutable Mutex mutex_;
  AofManifest manifest_ ABSL_GUARDED_BY(mutex_);
  // Written to the temporary file, waiting for its rename.
  std::optional<AofManifest> next_ ABSL_GUARDED_BY(mutex_);
  // The names in the directory have changed since it was synced.
  bool names_unsynced_ ABSL_GUARDED_BY(mutex_) = false;
  // Incr files that are in no manifest; the last one is being written.
  std::vector<AofFileEntry> unlisted_ ABSL_GUARDED_BY(mutex_);
  // Such files that nobody will list any more.
  std::vector<AofFileEntry> orphans_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_AOF_DIRECTORY_H_
