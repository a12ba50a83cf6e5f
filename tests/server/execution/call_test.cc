#include "server/execution/call.h"

#include "tests/server/support/output_text.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

/// Calls that the test makes by hand.
class CallTest : public ServerTest {
 protected:
  Call& Make(std::vector<std::string_view> args, CallMode mode = CallMode::kTopLevel) {
    args_ = std::move(args);
    call_.emplace(executor_, server_, server_.thread(0), ClientNamed(""),
                  *server_.commands().FindName("ping"), args_, reply_, now_ms(), mode, hold_);
    return *call_;
  }
  std::string Reply() { return TakeText(out_); }

  Hold hold_{0};
  OutputBuffer out_;
  ReplyWriter reply_{out_};
  std::vector<std::string_view> args_;
  std::optional<Call> call_;
};

TEST_F(CallTest, AnErrorIsRepliedAndItsCodeKept) {
  Call& call = Make({"ping"});
  EXPECT_FALSE(call.failed());
  call.Error(std::string("WRONGTYPE a text that is gone soon, and longer than any small string"));
  EXPECT_TRUE(call.failed());
  EXPECT_EQ(call.error_code(), "WRONGTYPE");
  EXPECT_TRUE(Reply().starts_with("-WRONGTYPE a text"));
}

TEST_F(CallTest, WrongArityNamesTheCommand) {
  Make({"ping"}).WrongArity();
  EXPECT_EQ(Reply(), "-ERR wrong number of arguments for 'ping' command\r\n");
}

TEST_F(CallTest, NumbersAreReadToTheLetter) {
  Call& call = Make({"x", "42", "042", "nine"});
  EXPECT_EQ(call.Integer(1), 42);
  EXPECT_EQ(Reply(), "");
  EXPECT_EQ(call.Integer(2), std::nullopt);
  EXPECT_EQ(Reply(), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(call.Integer(3, "ERR so not"), std::nullopt);
  EXPECT_EQ(Reply(), "-ERR so not\r\n");
}

TEST_F(CallTest, NumbersInARangeIncludeBothEnds) {
  Call& call = Make({"x", "1", "5", "6"});
  EXPECT_EQ(call.IntegerIn(1, 1, 5), 1);
  EXPECT_EQ(call.IntegerIn(2, 1, 5), 5);
  EXPECT_EQ(call.IntegerIn(3, 1, 5), std::nullopt);
  EXPECT_TRUE(call.failed());
}

TEST_F(CallTest, KeywordsAreInAnyCase) {
  Call& call = Make({"x", "Ex"});
  EXPECT_TRUE(call.Is(1, "EX"));
  EXPECT_FALSE(call.Is(1, "EXA"));
}

TEST_F(CallTest, LongWorkLeavesTheEventLoopOnlyAtTheTopLevel) {
  bool ran = false;
  Call& top = Make({"x"});
  top.StartLongWork([&](LongWork&) { ran = true; });
  EXPECT_FALSE(ran);
  EXPECT_TRUE(top.TakeLongWork() != nullptr);
  Call& nested = Make({"x"}, CallMode::kScript);
  nested.StartLongWork([&](LongWork& work) { work.reply.Ok(); });
  EXPECT_EQ(Reply(), "+OK\r\n");
  EXPECT_TRUE(nested.TakeLongWork() == nullptr);
}

TEST_F(CallTest, TheHashOfTheFirstKeyIsRemembered) {
  std::string_view key = "key";
  Call& call = Make({"x", key});
  KeyHash other = KeyHash::Of("other");
  call.set_first_key(key, other);
  EXPECT_EQ(call.HashOf(key).value, other.value);
  EXPECT_EQ(call.HashOf("key2").value, KeyHash::Of("key2").value);
}

}  // namespace
}  // namespace cloakroom
