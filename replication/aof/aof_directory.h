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

/// The directory of the append-only log: the manifest in force, in memory and on the disk, and the
/// files that come and go. A manifest is replaced whole: temporary file, fsync, rename, fsync of
/// the directory. A file that the manifest on the disk may name is never removed.
///
/// Thread rule: any thread; calls wait for each other and for the disk.
class AofDirectory {
 public:
  /// `files` outlives it. `path` is `appenddirname`, `name` is `appendfilename`.
  AofDirectory(Files& files, std::string path, std::string name);

  struct Loaded {
    AofManifest manifest;   ///< empty when there is no log
    bool upgraded = false;  ///< a file of Redis before 7 was moved into the directory as its base
  };
  /// At the start of a server: reads the manifest, and takes over a log of one file in the working
  /// directory, as Redis 7 does. Files that the manifest names are there. The error is a FileError,
  /// or kDataLoss: the manifest is wrong, or names a file that is not there.
  static absl::StatusOr<Loaded> Load(Files& files, const std::string& path,
                                     const std::string& name);
  /// The manifest as it lies there. The error is a FileError, kNotFound when there is none, or
  /// kDataLoss when it is wrong.
  absl::StatusOr<AofManifest> ReadManifest() const;
  /// Whether all files are there that a manifest names. An error as of Load.
  absl::Status FindFiles(const AofManifest& manifest) const;

  /// Makes the directory, unless it is there.
  absl::Status Make();
  /// Makes the directory, and a file in it, which goes again.
  absl::Status Probe();
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
  struct NewIncr {
    AofFileEntry entry;
    std::unique_ptr<WritableFile> file;
  };
  absl::StatusOr<NewIncr> PrepareIncr(bool listed);
  /// Puts the prepared manifest in force, and saves the names of new files. May be called again
  /// after an error, until it succeeds.
  absl::Status CommitIncr();

  /// Renames the temporary base to the next name and lists it, with the newest incr file if
  /// `keep_incr`; the others become history. After an error the old manifest is in force, or, if
  /// only saving its name failed, the new one: both name files that hold everything.
  absl::Status InstallBase(const std::string& temporary_path, bool is_rdb, bool keep_incr);
  /// Deletes history and incr files that were never listed. After an error some may be left.
  absl::Status RemoveHistory();
  /// The log is turned off before its first base: its files are nothing.
  void DropUnlisted();

 private:
  /// Makes a log of one file, in the working directory, the base of this one.
  absl::Status TakeOver(const std::string& old_path);
  int64_t BaseSizeLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WriteTemporary(const AofManifest& manifest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Publish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

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
