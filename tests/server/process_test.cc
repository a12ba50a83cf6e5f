#include "server/process.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

TEST(ProcessTest, ClientsThatFitAreAllowed) {
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(AllowClients(10), 10);
  rlimit after;
  getrlimit(RLIMIT_NOFILE, &after);
  EXPECT_EQ(after.rlim_cur, before.rlim_cur);
}

TEST(ProcessTest, MoreClientsThanDescriptorsAreNot) {
  constexpr int64_t kTooMany = int64_t{1} << 40;
  int64_t room = AllowClients(kTooMany);
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_GT(room, 0);
  EXPECT_LT(room, static_cast<int64_t>(limit.rlim_cur));
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
  EXPECT_EQ(WritePidFile(path), std::nullopt);
  pid_t pid = 0;
  std::ifstream(path) >> pid;
  EXPECT_EQ(pid, getpid());
  unlink(path.c_str());
}

TEST(ProcessTest, APidFileThatCannotBeWrittenIsAnErrorThatNamesIt) {
  auto error = WritePidFile("/nonexistent/cloakroom.pid");
  ASSERT_TRUE(error.has_value());
  EXPECT_NE(error->find("/nonexistent/cloakroom.pid: No such file or directory"), std::string::npos)
      << *error;
}

}  // namespace
}  // namespace cloakroom
