#include "server/net/poller.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>

namespace cloakroom {
namespace {

/// One end of a pair of sockets, and what the poller told of it.
class End final : public Poller::Watcher {
 public:
  End() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds_.data()), 0); }
  ~End() {
    close(fds_[0]);
    HangUp();
  }

  int fd() const { return fds_[0]; }
  void BecomeReadable() { EXPECT_EQ(write(fds_[1], "x", 1), 1); }
  void SendNoMore() { EXPECT_EQ(shutdown(fds_[1], SHUT_WR), 0); }
  void HangUp() {
    if (fds_[1] >= 0) close(fds_[1]);
    fds_[1] = -1;
  }

  std::string told;                    ///< r, w, h: what each call said; rw: both at once
  std::function<void()> then = [] {};  ///< called from OnReady

 private:
  void OnReady(bool readable, bool writable) override {
    told += std::string(told.empty() ? "" : " ") + (readable ? "r" : "") + (writable ? "w" : "");
    then();
  }

  void OnHangUp() override {
    told += std::string(told.empty() ? "" : " ") + "h";
    then();
  }

  std::array<int, 2> fds_{};
};

class PollerTest : public testing::Test {
 protected:
  bool Watch(End& end, bool reads, bool writes) {
    return poller_.Watch(end, end.fd(), reads, writes);
  }
  void Forget(End& end) { EXPECT_TRUE(Watch(end, false, false)); }

  boost::asio::io_context context_;
  int rounds_ = 0;
  Poller poller_{context_, [this] { ++rounds_; }};
  End one_;
  End other_;
};

TEST_F(PollerTest, TellsWhoCanRead) {
  Watch(one_, true, false);
  Watch(other_, true, false);
  other_.BecomeReadable();
  poller_.Round();
  EXPECT_EQ(one_.told, "");
  EXPECT_EQ(other_.told, "r");
}

TEST_F(PollerTest, TellsOnlyWhatIsWatchedFor) {
  one_.BecomeReadable();
  Watch(one_, false, true);
  poller_.Round();
  EXPECT_EQ(one_.told, "w");
  Watch(one_, true, true);
  poller_.Round();
  EXPECT_EQ(one_.told, "w rw");
}

TEST_F(PollerTest, TellsAgainWhatIsLeftUnread) {
  Watch(one_, true, false);
  one_.BecomeReadable();
  poller_.Round();
  poller_.Round();
  EXPECT_EQ(one_.told, "r r");
}

TEST_F(PollerTest, HangUpIsToldAsWhatIsWatchedFor) {
  Watch(one_, true, false);
  Watch(other_, false, true);
  one_.HangUp();
  other_.HangUp();
  poller_.Round();
  EXPECT_EQ(one_.told, "r");
  EXPECT_EQ(other_.told, "w");
}

TEST_F(PollerTest, HangUpIsToldToWhomReadsNothing) {
  EXPECT_TRUE(poller_.Watch(one_, one_.fd(), false, false, /*hang_up=*/true));
  EXPECT_TRUE(poller_.Watch(other_, other_.fd(), false, false, /*hang_up=*/true));
  one_.BecomeReadable();
  other_.BecomeReadable();
  poller_.Round();
  EXPECT_EQ(one_.told + other_.told, "");
  one_.HangUp();
  other_.SendNoMore();
  one_.then = [&] { Forget(one_); };
  other_.then = [&] { Forget(other_); };
  poller_.Round();
  EXPECT_EQ(one_.told, "h");
  EXPECT_EQ(other_.told, "h");
}

TEST_F(PollerTest, WhoIsWatchedForNothingIsToldNothing) {
  Watch(one_, true, true);
  Forget(one_);
  one_.HangUp();
  poller_.Round();
  EXPECT_EQ(one_.told, "");
}

TEST_F(PollerTest, WhoIsForgottenInARoundIsNotTold) {
  one_.BecomeReadable();
  other_.BecomeReadable();
  Watch(one_, true, false);
  Watch(other_, true, false);
  // Whichever comes first.
  one_.then = [&] { Forget(other_); };
  other_.then = [&] { Forget(one_); };
  poller_.Round();
  EXPECT_EQ(one_.told.size() + other_.told.size(), 1U);
}

TEST_F(PollerTest, WhoIsForgottenInARoundInsideIsNotToldByTheOneAround) {
  one_.BecomeReadable();
  Watch(one_, true, false);
  Watch(other_, true, false);
  bool inside = false;
  one_.then = [&] {
    if (inside) return Forget(one_);
    inside = true;
    poller_.Round();
  };
  other_.BecomeReadable();
  other_.then = [&] { Forget(other_); };
  poller_.Round();
  EXPECT_EQ(one_.told, "r r");
  EXPECT_EQ(other_.told, "r");
}

TEST_F(PollerTest, RoundsThatToldSomebodyAreFollowedUp) {
  Watch(one_, true, false);
  poller_.Round();
  EXPECT_EQ(rounds_, 0);
  one_.BecomeReadable();
  poller_.Round();
  EXPECT_EQ(rounds_, 1);
}

TEST_F(PollerTest, ContextTellsAsLongAsItRuns) {
  Watch(one_, true, false);
  one_.then = [&] {
    if (one_.told == "r r r") context_.stop();
  };
  one_.BecomeReadable();
  poller_.Start();
  context_.run();
  EXPECT_EQ(one_.told, "r r r");
}

TEST_F(PollerTest, DescriptorThatCannotBeWatchedIsRefused) {
  EXPECT_FALSE(poller_.Watch(one_, -1, true, false));
  // And may be watched later.
  EXPECT_TRUE(Watch(one_, true, false));
}

}  // namespace
}  // namespace cloakroom
