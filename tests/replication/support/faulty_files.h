#ifndef CLOAKROOM_TESTS_REPLICATION_SUPPORT_FAULTY_FILES_H_
#define CLOAKROOM_TESTS_REPLICATION_SUPPORT_FAULTY_FILES_H_

#include <cerrno>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replication/files/files.h"
#include "storage/base/mutex.h"

namespace cloakroom {

/// A file system in memory that fails when a test wants it to. It knows which bytes and names are
/// on the "disk" and which are only in the system's cache; Crash() loses the latter. As on Linux,
/// an fsync that failed has dropped what it should have written: the next one succeeds without
/// having saved it.
///
/// Only calls that change something count as the n-th call: Create, OpenForAppend, OpenAt, Append,
/// Sync, Rename, Remove, Truncate, SyncDirectory, MakeDirectory. A failing Append writes half of
/// its bytes; every other failing call does nothing. Calls that read fail only when a test names
/// them: kReach, kRead.
///
/// Thread rule: any thread.
class FaultyFiles final : public Files {
 public:
  enum class Call {
    kAny,
    kOpen,
    kWrite,
    kSync,
    kRename,
    kRemove,
    kTruncate,
    kSyncDirectory,
    kReach,  ///< Find and OpenForRead
    kRead,   ///< a read of an open file
  };
  enum class Names { kSynced, kAll };

  // ---- faults

  /// The n-th call of this kind from now on fails, n >= 1, and those after it do not.
  void FailNth(int n, Call call = Call::kAny, int code = EIO) { SetFault({n, 1, call, code, ""}); }
  /// All calls of this kind fail from the n-th on, until Heal().
  void FailFrom(int n, Call call = Call::kAny, int code = EIO) {
    SetFault({n, std::numeric_limits<int>::max(), call, code, ""});
  }
  /// All calls of this kind whose path contains this fail, until Heal(). For tests with several
  /// threads, where nobody can say which call is the n-th. Calls on an open file have no path.
  void FailOn(std::string part_of_path, Call call, int code = EIO) {
    SetFault({1, std::numeric_limits<int>::max(), call, code, std::move(part_of_path)});
  }
  void Heal();
  /// Whether a fault has happened since it was set.
  bool Failed() const;
  /// The number of calls of this kind so far, of those that count.
  int64_t Calls(Call call) const;

  /// From now on every call of Sync waits, until ReleaseSyncs().
  void HoldSyncs();
  void ReleaseSyncs();
  /// Waits until a thread waits in Sync.
  void AwaitHeldSync();

  /// The disk's size, in bytes of all files: a write past it is short, and fails with ENOSPC.
  void SetCapacity(int64_t bytes);

  /// The power fails: files keep what was synced, and the first `unsynced_kept` bytes of what was
  /// written after it; names are those of the last SyncDirectory, or those before the crash. Every
  /// handle is dead from then on, and faults are gone.
  void Crash(size_t unsynced_kept = 0, Names names = Names::kSynced);
  /// The process dies and the system keeps running: all bytes are kept, handles are dead, faults
  /// are gone.
  void Kill();

  // ---- content, for a test to read and set

  /// Nothing when there is no such file.
  std::optional<std::string> Content(const std::string& path) const;
  /// Makes a file, synced, with its name.
  void Put(const std::string& path, std::string_view content);
  bool Exists(const std::string& path) { return Find(path).ok(); }
  /// The paths of all files, in order.
  std::vector<std::string> Paths() const;

  // ---- Files

  absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenAt(const std::string& path,
                                                       int64_t offset) override;
  absl::StatusOr<std::unique_ptr<ReadableFile>> OpenForRead(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<ScratchFile>> CreateScratch(const std::string& directory) override;
  /// What the capacity leaves.
  absl::StatusOr<int64_t> FreeSpace(const std::string& directory) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status Truncate(const std::string& path, int64_t size) override;
  absl::Status SyncDirectory(const std::string& path) override;
  absl::Status MakeDirectory(const std::string& path) override;
  absl::Status Find(const std::string& path) override;
  absl::StatusOr<int64_t> Size(const std::string& path) override;
  /// Paths are plain names here, and mean the same in every directory.
  std::string Absolute(const std::string& path) override { return path; }
  absl::Status EnterDirectory(const std::string& /*path*/) override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override;

 private:
  class Handle;
  class Reader;
  class Scratch;
  /// A file, apart from its name.
  struct Inode {
    std::string data;     // as the system shows it
    std::string dirty;    // for each byte of data: 1 when it awaits an fsync
    std::string durable;  // as the disk has it
  };
  using NameTable = std::map<std::string, std::shared_ptr<Inode>>;
  struct Fault {
    int n = 0;  // counts down; the call that makes it 0 is the first that fails
    int times = 0;
    Call call = Call::kAny;
    int code = 0;
    std::string part_of_path;
  };

  void SetFault(Fault fault);
  absl::Status Count(Call call, std::string_view what) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenFor(const std::string& path, bool make,
                                                        bool empty, std::optional<int64_t> offset);
  absl::Status WriteTo(Inode& inode, size_t* position, std::string_view bytes);
  absl::Status SyncInode(Inode& inode);
  int64_t Used() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void KillHandles() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  NameTable names_ ABSL_GUARDED_BY(mutex_);
  int64_t scratch_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // of files without a name
  NameTable durable_names_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> directories_ ABSL_GUARDED_BY(mutex_);
  Fault fault_ ABSL_GUARDED_BY(mutex_);
  bool failed_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<Call, int64_t> calls_ ABSL_GUARDED_BY(mutex_);
  int64_t capacity_ ABSL_GUARDED_BY(mutex_) = std::numeric_limits<int64_t>::max();
  bool hold_syncs_ ABSL_GUARDED_BY(mutex_) = false;
  int held_syncs_ ABSL_GUARDED_BY(mutex_) = 0;
  CondVar syncs_changed_;
  int life_ ABSL_GUARDED_BY(mutex_) = 0;  // handles of an earlier one are dead
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SUPPORT_FAULTY_FILES_H_
