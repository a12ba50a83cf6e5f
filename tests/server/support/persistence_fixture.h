#ifndef CLOAKROOM_TESTS_SERVER_SUPPORT_PERSISTENCE_FIXTURE_H_
#define CLOAKROOM_TESTS_SERVER_SUPPORT_PERSISTENCE_FIXTURE_H_

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "server/config/config_store.h"
#include "server/context/server.h"
#include "server/persistence/persistence.h"
#include "tests/replication/support/faulty_files.h"
#include "tests/server/support/hand_runner.h"
#include "tests/server/support/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {

/// A server that was started on what a disk holds, as the next life of another one.
class Life {
 public:
  Life(const Clock& clock, FaultyFiles& files, const std::vector<std::string>& options = {})
      : server_(clock, Configured(config_, options), 1, files) {
    server_.persistence().loader().Begin();
    loaded_ = server_.persistence().loader().LoadAtStart([] { return false; });
  }
  const absl::Status& loaded() const { return loaded_; }
  size_t keys() { return server_.keyspace().db(0).size(); }
  Server& server() { return server_; }
  Persistence& persistence() { return server_.persistence(); }

 private:
  static ConfigStore& Configured(ConfigStore& config, const std::vector<std::string>& options) {
    EXPECT_OK(config.Load(ParseCommandLine(options)));
    return config;
  }

  ConfigStore config_;
  Server server_;
  absl::Status loaded_;
};

/// The first base of the fixture, so that the files outlive the server.
struct Disk {
  FaultyFiles files;
};

/// A server on a disk that the test can break. Its saves run on the save thread.
class OnDiskTest : private Disk, public ServerTest {
 protected:
  explicit OnDiskTest(const std::vector<std::string>& options = {})
      : ServerTest(Disk::files, options), files_(Disk::files) {}

  Persistence& persistence() { return server_.persistence(); }
  Saver& saver() { return persistence().saver(); }
  LogKeeper& log_keeper() { return persistence().log_keeper(); }
  Loader& loader() { return persistence().loader(); }
  void Set(std::vector<std::string_view> words) { ASSERT_OK(config_.Set(words)); }

  /// Ticks until nothing is under way and nothing is scheduled.
  void Settle() {
    do {
      persistence().Tick();
      persistence().work().AwaitIdle();
    } while (saver().figures().scheduled || log_keeper().figures().scheduled);
  }
  /// Saves a snapshot, and returns whether it succeeded.
  bool Snapshot() {
    EXPECT_EQ(saver().Begin(), BackgroundWork::Kind::kNone);
    persistence().work().AwaitIdle();
    return saver().figures().last_ok;
  }

  FaultyFiles& files_;
};

/// A server that has started with a log.
class JournalledTest : public OnDiskTest {
 protected:
  static constexpr char kLogFolder[] = "appendonlydir/";

  JournalledTest() : OnDiskTest({"--appendonly", "yes"}) {
    loader().Begin();
    EXPECT_OK(loader().LoadAtStart([] { return false; }));
  }

  /// Starts a server on what the disk holds now, and counts its keys.
  void ExpectNextLifeHas(size_t keys) {
    Life next(clock_, files_, {"--appendonly", "yes"});
    EXPECT_OK(next.loaded());
    EXPECT_EQ(next.keys(), keys);
  }
  void FlushLog() { ASSERT_OK(persistence().journal().file().Flush()); }
  std::vector<std::string> LogFiles() const {
    std::vector<std::string> found;
    for (const std::string& path : files_.Paths()) {
      if (path.starts_with(kLogFolder)) found.push_back(path.substr(std::strlen(kLogFolder)));
    }
    return found;
  }
};

/// The parts of persistence, which the test puts together beside a server whose own are idle. Their
/// work waits until the test runs it.
class ByHandTest : private Disk, public ServerTest {
 protected:
  using Kind = BackgroundWork::Kind;

  explicit ByHandTest(const std::vector<std::string>& options = {})
      : ServerTest(SystemFiles(), options), files_(Disk::files) {}
  ~ByHandTest() override { server_.keyspace().feed().set_log(nullptr); }

  void Set(std::vector<std::string_view> words) { ASSERT_OK(config_.Set(words)); }

  FaultyFiles& files_;
  HandRunner runner_;
  BackgroundWork work_{clock_, runner_};
  ChangeJournal journal_{server_, files_};
  WriteHealth health_{server_, journal_};
  Saver saver_{server_, files_, work_, journal_, health_};
  LogKeeper log_keeper_{server_, files_, work_, journal_};
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_SERVER_SUPPORT_PERSISTENCE_FIXTURE_H_
