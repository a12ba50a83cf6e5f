#ifndef CLOAKROOM_REPLICATION_FILES_FILES_H_
#define CLOAKROOM_REPLICATION_FILES_FILES_H_

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cloakroom {

/// What the operating system said to a call on a file. Default-constructed: all went well.
struct FileError {
  int code = 0;      ///< errno
  std::string what;  ///< the call and the path, for the log: "fsync appendonly.aof.1.incr.aof"

  explicit operator bool() const { return code != 0; }
  /// The path leads to nothing. Of any other error it is not known what lies there.
  bool absent() const { return code == ENOENT || code == ENOTDIR; }
  /// "fsync dump.rdb: No space left on device".
  std::string text() const;
};

/// A file being written from its current end on. Closed, without an fsync, when it goes.
/// Thread rule: one thread at a time.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  /// Writes all of `bytes`, or fails: some of them may be in the file then (see Files::Truncate).
  virtual FileError Append(std::string_view bytes) = 0;
  /// Returns when what was written is on the disk (fdatasync).
  virtual FileError Sync() = 0;
  /// Asks the system to begin writing back what lies in its cache, and to drop what is on the disk
  /// already: keeps a long sequential write from piling up in memory. Best effort.
  virtual void StartWriteback() = 0;
};

/// Thread rule: one thread at a time.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  /// Bytes read, 0 at the end, negative on an error, which `error` then is.
  virtual int64_t Read(std::span<char> into, FileError* error) = 0;
  virtual int64_t size() const = 0;
};

/// The file system as persistence sees it. Injected, so that tests fail the n-th call, fill the
/// disk, or lose what was not synced. Paths are relative to the working directory, as in Redis
/// (`dir`), or absolute; whoever keeps one while the directory may change makes it Absolute.
///
/// Thread rule: any thread.
class Files {
 public:
  virtual ~Files() = default;
  /// Makes the file anew, or empties it.
  virtual FileError Create(const std::string& path, std::unique_ptr<WritableFile>* file) = 0;
  /// Opens it for writing at its end, making it when it is not there.
  virtual FileError OpenForAppend(const std::string& path, std::unique_ptr<WritableFile>* file) = 0;
  /// Opens an existing file for writing from `offset` on. What lies behind is written over, not cut
  /// off: bytes that a failed fsync may have dropped are given to the system once more this way.
  virtual FileError OpenAt(const std::string& path, int64_t offset,
                           std::unique_ptr<WritableFile>* file) = 0;
  virtual FileError OpenForRead(const std::string& path, std::unique_ptr<ReadableFile>* file) = 0;
  /// Replaces `to` at one stroke.
  virtual FileError Rename(const std::string& from, const std::string& to) = 0;
  virtual FileError Remove(const std::string& path) = 0;
  virtual FileError Truncate(const std::string& path, int64_t size) = 0;
  /// Makes names in a directory survive a crash.
  virtual FileError SyncDirectory(const std::string& path) = 0;
  /// Not an error when it is there already.
  virtual FileError MakeDirectory(const std::string& path) = 0;
  /// No error: something is there. See FileError::absent for those that say so and those that do
  /// not.
  virtual FileError Find(const std::string& path) = 0;
  /// Nothing when there is no such file.
  virtual std::optional<int64_t> Size(const std::string& path) = 0;
  /// The path as it must be said once the working directory is another.
  virtual std::string Absolute(const std::string& path) = 0;
  /// Changes the working directory, of the whole process.
  virtual FileError EnterDirectory(const std::string& path) = 0;
  /// Names of the entries, without "." and "..", in no order.
  virtual FileError List(const std::string& path, std::vector<std::string>* names) = 0;
};

/// The real ones. Lives as long as the process.
Files& SystemFiles();

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_FILES_FILES_H_
