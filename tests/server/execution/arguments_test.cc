#include "server/execution/arguments.h"

#include <optional>
#include <string>
#include <vector>

#include "tests/server/support/output_text.h"
#include "tests/server/support/server_fixture.h"

namespace cloakroom {
namespace {

/// Cursors over arguments that the test makes; all begin after the name.
class ArgumentsTest : public ServerTest {
 protected:
  Arguments& Read(std::vector<std::string_view> args) {
    args_ = std::move(args);
    args_.insert(args_.begin(), "ping");
    arguments_.reset();
    call_.emplace(executor_, server_, server_.thread(0), ClientNamed(""),
                  *server_.commands().FindName("ping"), args_, reply_, now_ms(),
                  CallMode::kTopLevel, hold_);
    return arguments_.emplace(*call_, 1);
  }
  /// Finishes the cursor, and returns its reply.
  std::string Finished() {
    EXPECT_EQ(arguments_->Finish(), arguments_->ok());
    return TakeText(out_);
  }

 private:
  Hold hold_{0};
  OutputBuffer out_;
  ReplyWriter reply_{out_};
  std::vector<std::string_view> args_;
  std::optional<Call> call_;
  std::optional<Arguments> arguments_;
};

TEST_F(ArgumentsTest, AWordIsTakenInAnyCase) {
  Arguments& args = Read({"Limit", "5"});
  EXPECT_FALSE(args.Word("LIMITS"));
  EXPECT_EQ(args.at(), 1u);
  EXPECT_TRUE(args.Word("LIMIT"));
  EXPECT_EQ(args.Peek(), "5");
  EXPECT_EQ(Finished(), "");
}

TEST_F(ArgumentsTest, AWordMayAskForArgumentsBehindIt) {
  Arguments& args = Read({"AUTH", "user", "password"});
  EXPECT_FALSE(args.Word("AUTH", 3));
  EXPECT_TRUE(args.Word("AUTH", 2));
}

TEST_F(ArgumentsTest, BehindTheLastArgumentThereIsNoWord) {
  Arguments& args = Read({});
  EXPECT_FALSE(args.More());
  EXPECT_FALSE(args.Word("EX"));
  EXPECT_EQ(args.Peek(), "");
  EXPECT_EQ(args.left(), 0u);
  EXPECT_TRUE(args.Rest().empty());
  EXPECT_EQ(Finished(), "");
}

TEST_F(ArgumentsTest, OptionsWithSeveralValuesAreReadOneByOne) {
  Arguments& args = Read({"WEIGHTS", "1.5", "-2", "LIMIT", "0", "10", "MATCH", "a*"});
  ASSERT_TRUE(args.Word("WEIGHTS"));
  EXPECT_EQ(args.Double(), 1.5);
  EXPECT_EQ(args.Double(), -2);
  ASSERT_TRUE(args.Word("LIMIT"));
  EXPECT_EQ(args.Integer(), 0);
  EXPECT_EQ(args.IntegerIn(1, 10), 10);
  ASSERT_TRUE(args.Word("MATCH"));
  EXPECT_EQ(args.String(), "a*");
  EXPECT_FALSE(args.More());
  EXPECT_EQ(Finished(), "");
}

TEST_F(ArgumentsTest, AMissingValueIsASyntaxError) {
  Read({}).Integer();
  EXPECT_EQ(Finished(), "-ERR syntax error\r\n");
  Read({}).IntegerIn(1, 2, "ERR not so many");
  EXPECT_EQ(Finished(), "-ERR syntax error\r\n");
  Read({}).Double();
  EXPECT_EQ(Finished(), "-ERR syntax error\r\n");
  EXPECT_EQ(Read({}).String(), "");
  EXPECT_EQ(Finished(), "-ERR syntax error\r\n");
}

TEST_F(ArgumentsTest, NumbersThatAreNoneHaveTheErrorOfTheirKind) {
  Read({"042"}).Integer();
  EXPECT_EQ(Finished(), "-ERR value is not an integer or out of range\r\n");
  Read({"x"}).Integer("ERR timeout is not an integer");
  EXPECT_EQ(Finished(), "-ERR timeout is not an integer\r\n");
  Read({"x"}).Double();
  EXPECT_EQ(Finished(), "-ERR value is not a valid float\r\n");
}

TEST_F(ArgumentsTest, ARangeIncludesBothEnds) {
  Arguments& args = Read({"1", "5", "6", "3"});
  EXPECT_EQ(args.IntegerIn(1, 5, "ERR not in range"), 1);
  EXPECT_EQ(args.IntegerIn(1, 5, "ERR not in range"), 5);
  EXPECT_TRUE(args.ok());
  EXPECT_EQ(args.IntegerIn(1, 5, "ERR not in range"), 0);
  EXPECT_EQ(Finished(), "-ERR not in range\r\n");
}

TEST_F(ArgumentsTest, TheFirstErrorCountsAndIsRepliedOnce) {
  Arguments& args = Read({"x", "y"});
  args.Integer("ERR first");
  args.Integer("ERR second");
  args.Fail("ERR third");
  args.SyntaxError();
  EXPECT_EQ(Finished(), "-ERR first\r\n");
  EXPECT_EQ(Finished(), "");
  EXPECT_TRUE(args.call().failed());
}

TEST_F(ArgumentsTest, NothingIsTakenAfterAnError) {
  Arguments& args = Read({"x", "EX", "7"});
  args.Integer();
  EXPECT_FALSE(args.More());
  EXPECT_FALSE(args.Word("EX"));
  EXPECT_EQ(args.Integer(), 0);
  EXPECT_EQ(args.String(), "");
  EXPECT_EQ(args.at(), 2u);
}

TEST_F(ArgumentsTest, AnErrorMayBeFoundAfterAnEarlierEnd) {
  Arguments& args = Read({"7", "x"});
  args.Integer();
  EXPECT_EQ(Finished(), "");
  args.Integer();
  EXPECT_EQ(Finished(), "-ERR value is not an integer or out of range\r\n");
}

TEST_F(ArgumentsTest, TheCursorGoesToAnyArgument) {
  Arguments& args = Read({"10", "NX"});
  args.GoTo(2);
  EXPECT_TRUE(args.Word("NX"));
  args.GoTo(1);
  EXPECT_EQ(args.Integer(), 10);
  args.GoTo(9);
  EXPECT_FALSE(args.More());
  EXPECT_EQ(args.left(), 0u);
  EXPECT_TRUE(args.Rest().empty());
}

TEST_F(ArgumentsTest, TheRestIsAllThatIsLeft) {
  Arguments& args = Read({"FIELDS", "2", "a", "b"});
  ASSERT_TRUE(args.Word("FIELDS"));
  args.Integer();
  EXPECT_EQ(args.left(), 2u);
  ASSERT_EQ(args.Rest().size(), 2u);
  EXPECT_EQ(args.Rest()[0], "a");
}

TEST_F(ArgumentsTest, WrongArityNamesTheCommand) {
  Read({}).WrongArity();
  EXPECT_EQ(Finished(), "-ERR wrong number of arguments for 'ping' command\r\n");
}

}  // namespace
}  // namespace cloakroom
