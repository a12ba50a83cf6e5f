#include <string>

#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

class StreamInfoTest : public ServerTest {
 protected:
  void SetUp() override {
    for (const char* id : {"1-0", "2-0", "3-0"}) {
      Run(std::vector<std::string>{"XADD", "s", id, "f", "v"});
    }
    Run("XGROUP CREATE s g 0");
    Run("XREADGROUP GROUP g c COUNT 1 STREAMS s >");
  }
  static bool Has(const std::string& reply, const std::string& part) {
    return reply.find(part) != std::string::npos;
  }
};

TEST_F(StreamInfoTest, AStreamTellsItsNumbersAndEdges) {
  const std::string reply = Run("XINFO STREAM s");
  for (const char* part :
       {"*20\r\n", "length\r\n:3\r\n", "radix-tree-keys\r\n:1\r\n", "radix-tree-nodes\r\n:2\r\n",
        "last-generated-id\r\n$3\r\n3-0\r\n", "max-deleted-entry-id\r\n$3\r\n0-0\r\n",
        "entries-added\r\n:3\r\n", "groups\r\n:1\r\n", "first-entry\r\n*2\r\n$3\r\n1-0\r\n",
        "last-entry\r\n*2\r\n$3\r\n3-0\r\n"}) {
    EXPECT_TRUE(Has(reply, part)) << part << reply;
  }
}

TEST_F(StreamInfoTest, GroupsTellHowFarTheyAre) {
  EXPECT_EQ(Run("XINFO GROUPS s"),
            "*1\r\n*12\r\n$4\r\nname\r\n$1\r\ng\r\n$9\r\nconsumers\r\n:1\r\n$7\r\npending\r\n:1\r\n"
            "$17\r\nlast-delivered-id\r\n$3\r\n1-0\r\n$12\r\nentries-read\r\n:1\r\n"
            "$3\r\nlag\r\n:2\r\n");
}

TEST_F(StreamInfoTest, ConsumersTellWhenTheyWereSeenAndActive) {
  Advance(30);
  Run("XGROUP CREATECONSUMER s g lazy");
  EXPECT_EQ(Run("XINFO CONSUMERS s g"),
            "*2\r\n*8\r\n$4\r\nname\r\n$1\r\nc\r\n$7\r\npending\r\n:1\r\n$4\r\nidle\r\n:30\r\n"
            "$8\r\ninactive\r\n:30\r\n*8\r\n$4\r\nname\r\n$4\r\nlazy\r\n$7\r\npending\r\n:0\r\n"
            "$4\r\nidle\r\n:0\r\n$8\r\ninactive\r\n:-1\r\n");
}

TEST_F(StreamInfoTest, FullTellsEverythingUpToACount) {
  const std::string time = ":" + std::to_string(now_ms()) + "\r\n";
  std::string reply = Run("XINFO STREAM s FULL COUNT 1");
  EXPECT_TRUE(Has(reply, "entries\r\n*1\r\n*2\r\n$3\r\n1-0\r\n")) << reply;
  EXPECT_TRUE(Has(reply, "pending\r\n*1\r\n*4\r\n$3\r\n1-0\r\n$1\r\nc\r\n" + time + ":1\r\n"));
  EXPECT_TRUE(Has(reply, "seen-time\r\n" + time));
  EXPECT_TRUE(Has(reply, "pending\r\n*1\r\n*3\r\n$3\r\n1-0\r\n" + time + ":1\r\n"));
  reply = Run("XINFO STREAM s FULL COUNT 0");
  EXPECT_TRUE(Has(reply, "entries\r\n*3\r\n")) << reply;
}

TEST_F(StreamInfoTest, TheKeyComesBeforeTheOptions) {
  EXPECT_EQ(Run("XINFO STREAM absent BAD"), "-ERR no such key\r\n");
  EXPECT_EQ(Run("XINFO STREAM s BAD"),
            "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO "
            "HELP.\r\n");
  EXPECT_EQ(Run("XINFO CONSUMERS s x"), "-NOGROUP No such consumer group 'x' for key name 's'\r\n");
  Run("SET str v");
  EXPECT_EQ(Run("XINFO GROUPS str").substr(0, 10), "-WRONGTYPE");
}

}  // namespace
}  // namespace cloakroom
