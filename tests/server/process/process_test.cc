#include "server/process/process.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

TEST(ProcessTest, ClientsThatFitAreAllowed) {
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(AllowClients(10, 20).clients, 10);
  rlimit after;
  getrlimit(RLIMIT_NOFILE, &after);
  EXPECT_EQ(after.rlim_cur, before.rlim_cur);
}

TEST(ProcessTest, MoreClientsThanDescriptorsAreNot) {
  constexpr int64_t kTooMany = int64_t{1} << 40;
  constexpr int64_t kReserved = 100;
  const DescriptorLimit result = AllowClients(kTooMany, kReserved);
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(result.now, static_cast<int64_t>(limit.rlim_cur));
  EXPECT_EQ(result.clients, result.now - kReserved);
  EXPECT_EQ(result.wanted, kTooMany + kReserved);
  EXPECT_NE(result.error, 0);
}

TEST(ProcessTest, WhereNotEvenTheServerFitsThereIsNoClient) {
  constexpr int64_t kReserved = int64_t{1} << 40;
  EXPECT_EQ(AllowClients(10, kReserved).clients, 0);
}

TEST(ProcessTest, EveryLoopAndAddressNeedsDescriptorsOfItsOwn) {
  const int64_t one = ReservedDescriptors({.event_loops = 1, .addresses = 1});
  EXPECT_GT(one, 32);
  EXPECT_GE(ReservedDescriptors({.event_loops = 16, .addresses = 1}), one + 15 * 6);
  EXPECT_GE(ReservedDescriptors({.event_loops = 16, .addresses = 3}),
            ReservedDescriptors({.event_loops = 16, .addresses = 1}) + 16 * 2 * 2);
}

TEST(ProcessTest, TakenSignalsAreReadAndInterruptNothing) {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  int signals = TakeSignals();
  ASSERT_GE(signals, 0);
  raise(SIGTERM);
  signalfd_siginfo signal{};
  EXPECT_EQ(read(signals, &signal, sizeof(signal)), static_cast<ssize_t>(sizeof(signal)));
  EXPECT_EQ(signal.ssi_signo, static_cast<uint32_t>(SIGTERM));
  close(signals);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(ProcessTest, ThePidFileHoldsThePid) {
  std::string path = testing::TempDir() + "/cloakroom-pid-test";
  EXPECT_OK(WritePidFile(path));
  pid_t pid = 0;
  std::ifstream(path) >> pid;
  EXPECT_EQ(pid, getpid());
  unlink(path.c_str());
}

TEST(ProcessTest, APidFileThatCannotBeWrittenIsAnErrorThatNamesIt) {
  EXPECT_THAT(
      WritePidFile("/nonexistent/cloakroom.pid"),
      FailsWith(testing::HasSubstr("/nonexistent/cloakroom.pid: No such file or directory")));
}

}  // namespace
}  // namespace cloakroom
