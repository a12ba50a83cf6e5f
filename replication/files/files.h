#ifndef CLOAKROOM_REPLICATION_FILES_FILES_H_
#define CLOAKROOM_REPLICATION_FILES_FILES_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cloakroom {

/// A file being written from its present end on. The destructor closes it without an fsync.
/// Thread rule: one thread at a time.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  /// Writes all of `bytes`, or fails; some may then be in the file (see Files::Truncate).
  virtual absl::Status Append(std::string_view bytes) = 0;
  /// Returns when all written bytes are on the disk (fdatasync).
  virtual absl::Status Sync() = 0;
  /// Asks the system to begin writing back its cache, and to drop what is already on the disk, so
  /// that a long sequential write does not pile up in memory. Best effort.
  virtual void StartWriteback() = 0;
};

/// Thread rule: one thread at a time.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  /// Returns how many bytes it has read; 0 at the end.
  virtual absl::StatusOr<size_t> Read(std::span<char> into) = 0;
  virtual int64_t size() const = 0;
};

/// A file without a name, which is gone with the process. It may be written and read at any place.
/// Thread rule: any thread. A reader must know that the bytes were written.
class ScratchFile {
 public:
  virtual ~ScratchFile() = default;
  /// Writes all of `bytes`, or fails; some may then be in the file.
  virtual absl::Status Write(int64_t offset, std::string_view bytes) = 0;
  /// Returns how many bytes it has read; fewer than wanted only at the end.
  virtual absl::StatusOr<size_t> Read(int64_t offset, std::span<char> into) = 0;
  /// Gives the disk back what lies in this range. False: the file system cannot.
  virtual bool Discard(int64_t offset, int64_t bytes) = 0;
};

/// The file system as persistence sees it. Injected, so that tests fail the n-th call, fill the
/// disk, or lose unsynced bytes. Paths are relative to the working directory, as in Redis (`dir`),
/// or absolute; to keep one while the directory may change, make it Absolute.
///
/// Errors are FileErrors (file_status.h).
///
/// Thread rule: any thread.
class Files {
 public:
  virtual ~Files() = default;
  /// Makes the file, or empties it.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) = 0;
  /// Opens the file for writing at its end; makes it if it does not exist.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) = 0;
  /// Opens an existing file for writing from `offset` on. Overwrites what follows without cutting
  /// it off: in this way bytes that a failed fsync may have dropped are given to the system again.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> OpenAt(const std::string& path,
                                                               int64_t offset) = 0;
  virtual absl::StatusOr<std::unique_ptr<ReadableFile>> OpenForRead(const std::string& path) = 0;
  virtual absl::StatusOr<std::unique_ptr<ScratchFile>> CreateScratch(
      const std::string& directory) = 0;
  /// How many bytes the disk of a directory has left for this process.
  virtual absl::StatusOr<int64_t> FreeSpace(const std::string& directory) = 0;
  /// Replaces `to` atomically.
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  virtual absl::Status Truncate(const std::string& path, int64_t size) = 0;
  /// Makes names in a directory survive a crash.
  virtual absl::Status SyncDirectory(const std::string& path) = 0;
  /// Not an error if the directory exists already.
  virtual absl::Status MakeDirectory(const std::string& path) = 0;
  /// OK: something is there. kNotFound: nothing is. Any other error leaves it open.
  virtual absl::Status Find(const std::string& path) = 0;
  virtual absl::StatusOr<int64_t> Size(const std::string& path) = 0;
  /// The path that remains valid when the working directory changes.
  virtual std::string Absolute(const std::string& path) = 0;
  /// Changes the working directory of the whole process.
  virtual absl::Status EnterDirectory(const std::string& path) = 0;
  /// Names of the entries, without "." and "..", in no order.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& path) = 0;
};

/// The real file system. Lives as long as the process.
Files& SystemFiles();

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_FILES_FILES_H_
