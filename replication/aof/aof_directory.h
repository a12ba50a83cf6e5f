#ifndef CLOAKROOM_REPLICATION_AOF_AOF_DIRECTORY_H_
#define CLOAKROOM_REPLICATION_AOF_AOF_DIRECTORY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/aof/aof_manifest.h"
#include "replication/files/files.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// The directory of the append-only log: the present manifest, in memory and on the disk, and the
/// files that come and go. Replaces a manifest as a whole: temporary file, fsync, rename, fsync of
/// the directory. Never removes a file that the manifest on the disk may name.
///
/// Thread rule: any thread; calls wait for each other and for the disk.
class AofDirectory {
 public:
  /// `files` must outlive it. `path` is `appenddirname`, `name` is `appendfilename`.
  AofDirectory(Files& files, std::string path, std::string name);

  struct Loaded {
    AofManifest manifest;   ///< empty if there is no log
    bool upgraded = false;  ///< a file of Redis before 7 was moved into the directory as its base
  };
  /// For the starting server: reads the manifest, and takes over a single-file log in the working
  /// directory, as Redis 7 does. Checks that the files which the manifest names exist. The error is
  /// a FileError, or kDataLoss: the manifest is wrong, or names a file that does not exist.
  static absl::StatusOr<Loaded> Load(Files& files, const std::string& path,
                                     const std::string& name);
  /// The manifest on the disk. The error is a FileError, kNotFound if there is none, or kDataLoss
  /// if it is wrong.
  absl::StatusOr<AofManifest> ReadManifest() const;
  /// Checks that all files exist that a manifest names. Errors as of Load.
  absl::Status FindFiles(const AofManifest& manifest) const;

  /// Makes the directory, unless it exists.
  absl::Status Make();
  /// Makes the directory, and a file in it, which it removes again.
  absl::Status Probe();
  std::string PathOf(std::string_view file_name) const;
  std::string ManifestName() const { return name_ + ".manifest"; }

  /// Makes `manifest`, which is the one on the disk, the one in memory.
  void Adopt(AofManifest manifest);
  AofManifest manifest() const;
  /// Bytes of the files that count, as the disk has them.
  int64_t Size() const;
  int64_t BaseSize() const;

  /// Makes an empty incr file, which no manifest lists yet, and the manifest that will list it.
  /// With `listed` false the file stays out of the manifest until InstallBase().
  struct NewIncr {
    AofFileEntry entry;
    std::unique_ptr<WritableFile> file;
  };
  absl::StatusOr<NewIncr> PrepareIncr(bool listed);
  /// Puts the prepared manifest in force, and saves the names of new files. After an error it may
  /// be called again until it succeeds.
  absl::Status CommitIncr();

  /// Renames the temporary base to the next name and lists it, with the newest incr file if
  /// `keep_incr`; the others become history. After an error the old manifest is in force, or, if
  /// only saving its name failed, the new one: both name files that hold everything.
  absl::Status InstallBase(const std::string& temporary_path, bool is_rdb, bool keep_incr);
  /// Deletes history and incr files that were never listed. After an error some may be left.
  absl::Status RemoveHistory();
  /// For a log that is turned off before its first base: its files do not count.
  void DropUnlisted();

 private:
  /// Makes a single-file log in the working directory the base of this one.
  absl::Status TakeOver(const std::string& old_path);
  int64_t BaseSizeLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WriteTemporary(const AofManifest& manifest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Publish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Files& files_;
  const std::string path_;
  const std::string name_;

  mutable Mutex mutex_;
  AofManifest manifest_ ABSL_GUARDED_BY(mutex_);
  // Written to the temporary file, and waits for its rename.
  std::optional<AofManifest> next_ ABSL_GUARDED_BY(mutex_);
  // The names in the directory have changed since it was synced.
  bool names_unsynced_ ABSL_GUARDED_BY(mutex_) = false;
  // Incr files that are in no manifest; the last one is being written.
  std::vector<AofFileEntry> unlisted_ ABSL_GUARDED_BY(mutex_);
  // Unlisted files that will never be listed.
  std::vector<AofFileEntry> orphans_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_AOF_AOF_DIRECTORY_H_
