#include "server/net/listen_errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

namespace cloakroom {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

boost::system::error_code System(int error) { return {error, boost::system::system_category()}; }

TEST(TcpListenError, APortInUseTellsHowToFindItsServer) {
  EXPECT_EQ(TcpListenError("127.0.0.1", 6379, System(EADDRINUSE)),
            "Could not create server TCP listening socket 127.0.0.1:6379: bind: Address already in "
            "use. Another server has the port: 'ss -ltnp sport = :6379' shows which. Stop it, or "
            "set another 'port'.");
}

TEST(TcpListenError, OtherReasonsHaveOtherRemedies) {
  EXPECT_THAT(TcpListenError("203.0.113.7", 6379, System(EADDRNOTAVAIL)),
              HasSubstr("write a '-' before the address"));
  EXPECT_THAT(TcpListenError("127.0.0.1", 80, System(EACCES)), HasSubstr("a higher 'port'"));
  EXPECT_THAT(TcpListenError("127.0.0.1", 80, System(EIO)), HasSubstr("Correct 'bind' and 'port'"));
}

TEST(ResolveError, NamesTheAddressAndTheDirective) {
  EXPECT_EQ(ResolveError("nobody"), "Could not resolve the address 'nobody' in 'bind'.");
}

TEST(UnixListenError, NamesThePathTheReasonAndTheRemedy) {
  EXPECT_THAT(UnixListenError("/run/x/c.sock", System(ENOENT)),
              AllOf(HasSubstr("Failed opening Unix socket /run/x/c.sock: bind: No such file"),
                    HasSubstr("Make the directory /run/x/")));
  EXPECT_THAT(UnixListenError("/run/x/c.sock", System(EACCES)), HasSubstr("write to /run/x/"));
  EXPECT_THAT(UnixListenError("c.sock", System(EACCES)), HasSubstr("write to 'dir'"));
  EXPECT_THAT(UnixListenError("/c.sock", System(EADDRINUSE)), HasSubstr("Another server listens"));
  EXPECT_THAT(UnixListenError("/c.sock", System(ENAMETOOLONG)), HasSubstr("at most 107"));
}

class UnixPathTest : public testing::Test {
 protected:
  void SetUp() override { unlink(path_.c_str()); }
  void TearDown() override { unlink(path_.c_str()); }

  /// A socket bound to the path; it does not listen yet.
  int Bind() const {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }

  std::string path_ = testing::TempDir() + "/listen." + std::to_string(getpid());
};

TEST_F(UnixPathTest, NothingThereIsFree) { EXPECT_EQ(LookAtUnixPath(path_), UnixPath::kFree); }

TEST_F(UnixPathTest, ASocketWithoutItsServerIsStale) {
  close(Bind());
  EXPECT_EQ(LookAtUnixPath(path_), UnixPath::kStale);
}

TEST_F(UnixPathTest, ASocketWithAServerIsServed) {
  int fd = Bind();
  ASSERT_EQ(listen(fd, 1), 0);
  EXPECT_EQ(LookAtUnixPath(path_), UnixPath::kServed);
  close(fd);
}

TEST_F(UnixPathTest, WhatIsNoSocketIsOccupied) {
  std::ofstream(path_) << "not a socket";
  EXPECT_EQ(LookAtUnixPath(path_), UnixPath::kOccupied);
}

}  // namespace
}  // namespace cloakroom
