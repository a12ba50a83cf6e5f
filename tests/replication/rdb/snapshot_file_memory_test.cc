// What happens to the file when memory runs out in the middle of a save. The process may end, as it
// does in Redis; the file is then the old one or the new one, whole.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>

#include "replication/files/files.h"
#include "replication/rdb/rdb_loader.h"
#include "replication/rdb/snapshot_file.h"
#include "tests/storage/support/test_keyspace.h"

namespace {

/// The number of allocations until one fails; negative: none fails.
std::atomic<int64_t> allocations_left = -1;

bool ThisOneFails() {
  if (allocations_left.load(std::memory_order_relaxed) < 0) return false;
  return allocations_left.fetch_sub(1, std::memory_order_relaxed) == 0;
}

}  // namespace

// The linker sends calls of operator new to the __wrap functions (--wrap, see CMakeLists.txt), and
// calls of the __real functions to operator new.
extern "C" void* __real__Znwm(size_t size);
extern "C" void* __wrap__Znwm(size_t size) {
  if (ThisOneFails()) throw std::bad_alloc();
  return __real__Znwm(size);
}

namespace cloakroom {
namespace {

constexpr int kSaved = 0;
constexpr int kRefused = 1;
constexpr int kSavedAllTheSame = 2;

/// Lives only in a child process, which ends without destroying it.
class Saver : public KeyspaceTest {
 public:
  explicit Saver(int keys) {
    for (int i = 0; i < keys; ++i) Set(db(i % 2), "key" + std::to_string(i), "value");
  }
  void TestBody() override {}

  /// noexcept: as on the thread that saves, nobody catches exceptions.
  [[noreturn]] void Save(const std::string& path, int64_t failing_allocation) noexcept {
    SnapshotPlace place;
    place.path = path;
    place.temporary_path = path + ".temporary";
    allocations_left = failing_allocation;
    const auto result = WriteSnapshotFile(
        keyspace_, SystemFiles(), place, SnapshotOptions(), [] { return RdbAuxFields(); },
        [] { return false; });
    const bool was_short = failing_allocation >= 0 && allocations_left < 0;
    allocations_left = -1;
    _exit(!result.ok() ? kRefused : was_short ? kSavedAllTheSame : kSaved);
  }
};

class SnapshotFileMemoryTest : public testing::Test {
 protected:
  SnapshotFileMemoryTest() {
    std::string folder = std::filesystem::temp_directory_path() / "cloakroom-memory-XXXXXX";
    folder_ = mkdtemp(folder.data());
  }
  ~SnapshotFileMemoryTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ / "dump.rdb"; }

  /// Saves this many keys in a child process. Returns its exit status, or -1 if it was killed.
  int SaveInChild(int keys, int64_t failing_allocation) {
    const pid_t child = fork();
    if (child == 0) {
      // A process that runs out of memory prints so, and this happens some hundred times.
      std::freopen("/dev/null", "w", stderr);
      const rlimit no_core{0, 0};
      setrlimit(RLIMIT_CORE, &no_core);
      (new Saver(keys))->Save(path(), failing_allocation);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  size_t Load() {
    TestClock clock;
    Keyspace loaded({.databases = 2, .event_loops = 1}, clock);
    RdbLoadResult result = LoadRdb(SystemFiles(), path(), loaded, {.threads = 1});
    EXPECT_TRUE(result.ok()) << (result.error ? result.error->Text() : "");
    return result.keys;
  }

  std::filesystem::path folder_;
};

TEST_F(SnapshotFileMemoryTest, WhicheverAllocationFailsTheOldOrTheNewFileIsThere) {
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
  GTEST_SKIP() << "ThreadSanitizer gives up on threads in a forked process";
#endif
#endif
  constexpr int kOld = 20;
  constexpr int kNew = 21;
  ASSERT_EQ(SaveInChild(kOld, -1), kSaved);
  int faults = 0;
  for (int64_t n = 0;; ++n) {
    const int status = SaveInChild(kNew, n);
    const size_t keys = Load();
    if (status == kSaved) {
      EXPECT_EQ(keys, kNew);
      break;
    }
    ++faults;
    ASSERT_TRUE(keys == kOld || keys == kNew) << "allocation " << n << ", exit status " << status;
    ASSERT_LT(n, 10'000) << "a small save takes fewer";
    // Restores the old file for the next turn.
    if (keys == kNew) {
      ASSERT_EQ(SaveInChild(kOld, -1), kSaved);
    }
  }
  EXPECT_GE(faults, 10);
}

}  // namespace
}  // namespace cloakroom
