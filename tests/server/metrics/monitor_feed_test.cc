#include "server/metrics/monitor_feed.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace cloakroom {
namespace {

class Screen final : public ClientLink {
 public:
  void Push(Pushed pushed) override { shown.append(pushed.bytes.bytes); }
  void Kill() override {}
  std::string shown;
};

class MonitorFeedTest : public testing::Test {
 protected:
  MonitorFeedTest() { feed_.Add(screen_); }

  const std::shared_ptr<Screen> screen_ = std::make_shared<Screen>();
  MonitorFeed feed_;
};

TEST_F(MonitorFeedTest, ACommandIsToldWithWhenWhereWhoAndWhat) {
  const std::vector<std::string_view> args = {"SET", "a\"b", "\n\x01"};
  feed_.Tell(1'700'000'000'000'042, 3, "127.0.0.1:50000", args);
  EXPECT_EQ(screen_->shown,
            "+1700000000.000042 [3 127.0.0.1:50000] \"SET\" \"a\\\"b\" \"\\n\\x01\"\r\n");
}

TEST_F(MonitorFeedTest, NotesAreToldInTheirOrderOnceTheyAreAskedFor) {
  MonitorNotes notes;
  {
    // A script's arguments are gone by then.
    const std::string key = "key";
    const std::vector<std::string_view> args = {"GET", key};
    notes.Add(1'000'000, 0, "lua", args);
    notes.Add(2'000'000, 0, "lua", std::vector<std::string_view>{"DEL", key});
  }
  EXPECT_FALSE(notes.empty());
  EXPECT_EQ(screen_->shown, "");
  feed_.Tell(notes);
  EXPECT_EQ(screen_->shown,
            "+1.000000 [0 lua] \"GET\" \"key\"\r\n+2.000000 [0 lua] \"DEL\" \"key\"\r\n");
  EXPECT_TRUE(notes.empty());
  feed_.Tell(notes);
  EXPECT_EQ(screen_->shown.size(), 62U) << "once";
}

TEST_F(MonitorFeedTest, WhoLeavesHearsNoMore) {
  EXPECT_TRUE(feed_.active());
  feed_.Remove(screen_.get());
  EXPECT_FALSE(feed_.active());
  feed_.Tell(0, 0, "lua", std::vector<std::string_view>{"PING"});
  EXPECT_EQ(screen_->shown, "");
}

}  // namespace
}  // namespace cloakroom
