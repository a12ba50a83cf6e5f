#include "server/context/supervisor.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace cloakroom {
namespace {

/// A socket such as systemd listens on, and the environment that names it.
class SupervisorTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/notify." + std::to_string(getpid());
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    unlink(path_.c_str());
    ASSERT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  }
  void TearDown() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
    close(socket_);
    unlink(path_.c_str());
  }
  /// The next message, or "".
  std::string Heard() const {
    char buffer[256];
    ssize_t size = recv(socket_, buffer, sizeof(buffer), 0);
    return size < 0 ? "" : std::string(buffer, static_cast<size_t>(size));
  }

  std::string path_;
  int socket_ = -1;
};

TEST_F(SupervisorTest, IsToldWordForWord) {
  EXPECT_TRUE(HasSupervisor());
  TellSupervisor("READY=1\nSTATUS=Serving");
  EXPECT_EQ(Heard(), "READY=1\nSTATUS=Serving");
}

TEST_F(SupervisorTest, WithoutOneNothingIsSaid) {
  unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(HasSupervisor());
  TellSupervisor("READY=1");
  EXPECT_EQ(Heard(), "");
}

TEST_F(SupervisorTest, ASocketThatIsNotThereOrTooLongIsNoError) {
  for (std::string path : {std::string("/nonexistent/notify"), std::string(200, 'x')}) {
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    TellSupervisor("READY=1");
  }
  EXPECT_EQ(Heard(), "");
}

TEST_F(SupervisorTest, TheWatchdogIsForTheProcessItNames) {
  EXPECT_EQ(WatchdogIntervalMs(), 0);
  setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(WatchdogIntervalMs(), 30000);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  EXPECT_EQ(WatchdogIntervalMs(), 30000);
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(WatchdogIntervalMs(), 0);
}

}  // namespace
}  // namespace cloakroom
