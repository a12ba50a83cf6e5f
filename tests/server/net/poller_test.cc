#include "server/net/poller.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>
#include <thread>

namespace cloakroom {
namespace {

/// One end of a pair of sockets, with what the poller reported for it.
class End final : public Poller::Watcher {
 public:
  End() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds_.data()), 0); }
  ~End() {
    close(fds_[0]);
    HangUp();
  }

  int fd() const { return fds_[0]; }
  void BecomeReadable() { EXPECT_EQ(write(fds_[1], "x", 1), 1); }
  void FillUp() {
    const std::string many(1 << 16, 'x');
    while (write(fds_[0], many.data(), many.size()) > 0) {
    }
  }
  void Drain() {
    std::string many(1 << 16, 'x');
    while (read(fds_[1], many.data(), many.size()) > 0) {
    }
  }
  void SendNoMore() { EXPECT_EQ(shutdown(fds_[1], SHUT_WR), 0); }
  void HangUp() {
    if (fds_[1] >= 0) close(fds_[1]);
    fds_[1] = -1;
  }

  std::string told;                    ///< r, w, h: what each call reported; rw: both at once
  std::function<void()> then = [] {};  ///< called from OnReady

 private:
  void OnReady(const Poller::Ready& ready) override {
    told += std::string(told.empty() ? "" : " ") + (ready.readable ? "r" : "") +
            (ready.writable ? "w" : "") + (ready.hung_up ? "h" : "");
    then();
  }

  std::array<int, 2> fds_{};
};

class PollerTest : public testing::Test {
 protected:
  PollerTest() {
    for (End* end : {&one_, &other_}) EXPECT_TRUE(poller_.Watch(*end, end->fd()));
  }
  Poller::Told Round() { return poller_.Round(/*may_wait=*/false); }
  Poller::Told Wait() { return poller_.Round(/*may_wait=*/true); }

  Poller poller_;
  End one_;
  End other_;
};

TEST_F(PollerTest, TellsWhoCanRead) {
  other_.BecomeReadable();
  Round();
  EXPECT_EQ(one_.told, "");
  EXPECT_EQ(other_.told, "r");
}

TEST_F(PollerTest, TellsAChangeOnce) {
  one_.BecomeReadable();
  Round();
  Round();
  EXPECT_EQ(one_.told, "r");
  one_.BecomeReadable();
  Round();
  EXPECT_EQ(one_.told, "r r") << "though what came before was not read";
}

TEST_F(PollerTest, TellsOfRoomOnlyWhoAskedForIt) {
  one_.BecomeReadable();
  Round();
  EXPECT_EQ(one_.told, "r");
  EXPECT_TRUE(poller_.WatchRoom(one_, one_.fd(), true));
  Round();
  EXPECT_EQ(one_.told, "r rw");
  EXPECT_TRUE(poller_.WatchRoom(one_, one_.fd(), false));
  one_.BecomeReadable();
  Round();
  EXPECT_EQ(one_.told, "r rw r");
}

TEST_F(PollerTest, TellsOfRoomThatComes) {
  one_.FillUp();
  EXPECT_TRUE(poller_.WatchRoom(one_, one_.fd(), true));
  Round();
  EXPECT_EQ(one_.told, "");
  one_.Drain();
  Round();
  EXPECT_EQ(one_.told, "w");
}

TEST_F(PollerTest, WhoAsksForRoomAgainIsToldAgain) {
  EXPECT_TRUE(poller_.WatchRoom(one_, one_.fd(), true));
  Round();
  Round();
  EXPECT_EQ(one_.told, "w");
  EXPECT_TRUE(poller_.WatchRoom(one_, one_.fd(), true));
  Round();
  EXPECT_EQ(one_.told, "w w");
}

TEST_F(PollerTest, AListeningSocketIsToldAsLongAsSomethingWaits) {
  End listening;
  EXPECT_TRUE(poller_.WatchListening(listening, listening.fd()));
  listening.BecomeReadable();
  Round();
  Round();
  EXPECT_EQ(listening.told, "r r");
}

TEST_F(PollerTest, TheEndIsToldAsSomethingToRead) {
  one_.HangUp();
  other_.SendNoMore();
  Round();
  EXPECT_EQ(one_.told, "rh");
  EXPECT_EQ(other_.told, "rh");
}

TEST_F(PollerTest, TheEndThatComesWithTheLastBytesIsToldWithThem) {
  one_.BecomeReadable();
  one_.SendNoMore();
  Round();
  EXPECT_EQ(one_.told, "rh");
}

TEST_F(PollerTest, WhoIsForgottenIsToldNothingUntilItIsWatchedAgain) {
  poller_.Forget(one_, one_.fd());
  one_.BecomeReadable();
  Round();
  EXPECT_EQ(one_.told, "");
  EXPECT_TRUE(poller_.Watch(one_, one_.fd()));
  Round();
  EXPECT_EQ(one_.told, "r");
}

TEST_F(PollerTest, WhoIsForgottenOrClosedInARoundIsNotTold) {
  one_.BecomeReadable();
  other_.BecomeReadable();
  // The first of the two stops the other.
  one_.then = [&] { poller_.Forget(other_, other_.fd()); };
  other_.then = [&] { poller_.Closing(one_); };
  Round();
  EXPECT_EQ(one_.told.size() + other_.told.size(), 1U);
}

TEST_F(PollerTest, RoundsNest) {
  one_.BecomeReadable();
  one_.then = [&] {
    other_.BecomeReadable();
    Round();
  };
  Round();
  EXPECT_EQ(one_.told, "r");
  EXPECT_EQ(other_.told, "r");
}

TEST_F(PollerTest, AWakeEndsTheWait) {
  std::thread other([&] { poller_.Wake(); });
  EXPECT_TRUE(Wait().woken);
  other.join();
  EXPECT_FALSE(Round().woken) << "one Wake is told once";
}

TEST_F(PollerTest, AWakeBeforeTheWaitIsNotLost) {
  poller_.Wake();
  poller_.Wake();
  EXPECT_TRUE(Wait().woken);
  poller_.Wake();
  EXPECT_TRUE(Wait().woken);
}

TEST_F(PollerTest, TheAlarmEndsTheWaitWhenItsTimeHasCome) {
  const Poller::Time time = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
  poller_.SetAlarm(time);
  EXPECT_TRUE(Wait().alarm);
  EXPECT_GE(std::chrono::steady_clock::now(), time);
  EXPECT_FALSE(Round().alarm);
}

TEST_F(PollerTest, AnAlarmMayBePutForwardAndIsNeverPutOff) {
  const Poller::Time now = std::chrono::steady_clock::now();
  poller_.SetAlarm(now + std::chrono::hours(1));
  poller_.SetAlarm(Poller::Time());
  poller_.SetAlarm(now + std::chrono::hours(2));
  EXPECT_TRUE(Wait().alarm) << "a time that is over";
  poller_.SetAlarm(now);
  EXPECT_TRUE(Wait().alarm);
}

TEST_F(PollerTest, WhoWaitsForNothingReturnsAtOnce) {
  const Poller::Told told = Round();
  EXPECT_FALSE(told.woken || told.alarm);
}

TEST_F(PollerTest, DescriptorThatCannotBeWatchedIsRefused) {
  End end;
  EXPECT_FALSE(poller_.Watch(end, -1));
  // It may still be watched later.
  EXPECT_TRUE(poller_.Watch(end, end.fd()));
}

}  // namespace
}  // namespace cloakroom
