#include "replication/link/discarded_tail.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "protocol/text.h"
#include "replication/stream/command_encoder.h"
#include "tests/replication/support/faulty_files.h"

namespace cloakroom {
namespace {

const std::string kId(40, 'a');
constexpr int64_t kBias = 1000;

std::string Command(std::initializer_list<std::string_view> arguments) {
  std::string bytes;
  AppendCommand(bytes, {arguments.begin(), arguments.size()});
  return bytes;
}

class Reader final : public StreamReader {
 public:
  void StreamMoved() override {}
};

class DiscardedTailTest : public ::testing::Test {
 protected:
  DiscardedTailTest() {
    stream_.Add(reader_);
    stream_.Keep(reader_, 0);
  }
  ~DiscardedTailTest() override { stream_.Remove(reader_); }

  /// The commands from `position` on, which the bytes from `first_record` on are read for.
  DiscardedTail Tail(int64_t position, int64_t first_record = 0, int last_db = 0) const {
    return {.begin = {*ReplicationId::Parse(kId), position + kBias},
            .first_record = first_record,
            .position = position,
            .end = stream_.tail(),
            .last_db = last_db};
  }
  absl::StatusOr<std::optional<TailFile>> Write(const DiscardedTail& tail, int64_t at_s = 0) {
    return WriteUndecidedTail(stream_, tail, absl::FromUnixSeconds(at_s), files_);
  }
  /// The files' names with these seconds.
  std::vector<std::string> Names(std::string_view form,
                                 std::initializer_list<std::string_view> times) const {
    std::vector<std::string> names;
    for (std::string_view time : times) {
      names.push_back(
          Concat({form, "19700101T0000", time, ".000Z-", kId, "-", std::to_string(kBias), ".aof"}));
    }
    return names;
  }
  /// What the file has.
  std::string Kept(const DiscardedTail& tail) {
    const auto kept = Write(tail);
    EXPECT_TRUE(kept.ok() && kept->has_value());
    return files_.Content((*kept)->path).value_or("none");
  }

  ChangeStream stream_{0};
  Reader reader_;
  FaultyFiles files_;
};

TEST_F(DiscardedTailTest, HasTheCommandsBehindItsBeginningAndTheirDatabase) {
  stream_.Append(Command({"SELECT", "3"}));
  const int64_t acked = stream_.Append(Command({"SET", "acked", "1"}));
  stream_.Append(Command({"SET", "a", "1"}));
  stream_.Append(Command({"SELECT", "5"}));
  stream_.Append(Command({"DEL", "b"}));
  const auto kept = Write(Tail(acked));
  ASSERT_TRUE(kept.ok() && kept->has_value());
  EXPECT_EQ((*kept)->commands, 2);
  EXPECT_EQ((*kept)->path,
            absl::StrCat("undecided-19700101T000000.000Z-", kId, "-", acked + kBias, ".aof"));
  EXPECT_EQ(files_.Content((*kept)->path),
            absl::StrCat(Command({"SELECT", "3"}), Command({"SET", "a", "1"}),
                         Command({"SELECT", "5"}), Command({"DEL", "b"})));
  EXPECT_EQ(files_.Paths().size(), 1u);
}

TEST_F(DiscardedTailTest, SelectsTheDatabaseOfTheEndIfNoneWasSelected) {
  const int64_t acked = stream_.Append(Command({"SET", "acked", "1"}));
  stream_.Append(Command({"SET", "a", "1"}));
  EXPECT_EQ(Kept(Tail(acked, 0, 2)),
            absl::StrCat(Command({"SELECT", "2"}), Command({"SET", "a", "1"})));
}

TEST_F(DiscardedTailTest, GuessesNoDatabase) {
  const int64_t acked = stream_.Append(Command({"SET", "acked", "1"}));
  stream_.Append(Command({"SET", "a", "1"}));
  stream_.Append(Command({"SELECT", "5"}));
  stream_.Append(Command({"SET", "b", "1"}));
  EXPECT_EQ(Kept(Tail(acked, 0, 5)),
            absl::StrCat(Command({"SET", "a", "1"}), Command({"SELECT", "5"}),
                         Command({"SET", "b", "1"})));
}

TEST_F(DiscardedTailTest, LeavesOutWhatChangesNoData) {
  stream_.Append(Command({"SELECT", "0"}));
  const int64_t acked = stream_.tail();
  stream_.Append(Command({"PING"}));
  stream_.Append("\r\n");
  stream_.Append(Command({"REPLCONF", "GETACK", "*"}));
  stream_.Append(Command({"PUBLISH", "channel", "message"}));
  const auto kept = Write(Tail(acked));
  ASSERT_TRUE(kept.ok());
  EXPECT_FALSE(kept->has_value());
  EXPECT_TRUE(files_.Paths().empty());
  stream_.Append(Command({"set", "a", "1"}));
  EXPECT_EQ(Kept(Tail(acked)), absl::StrCat(Command({"SELECT", "0"}), Command({"set", "a", "1"})));
}

TEST_F(DiscardedTailTest, ATransactionStaysOne) {
  stream_.Append(Command({"SELECT", "0"}));
  const int64_t acked = stream_.tail();
  stream_.Append(absl::StrCat(Command({"MULTI"}), Command({"SET", "a", "1"}),
                              Command({"SELECT", "1"}), Command({"SET", "b", "1"}),
                              Command({"EXEC"})));
  EXPECT_EQ(Kept(Tail(acked)),
            absl::StrCat(Command({"MULTI"}), Command({"SELECT", "0"}), Command({"SET", "a", "1"}),
                         Command({"SELECT", "1"}), Command({"SET", "b", "1"}), Command({"EXEC"})));
}

TEST_F(DiscardedTailTest, ARecordInWhichItBeginsIsPartOfIt) {
  const int64_t record = stream_.Append(Command({"SELECT", "0"}));
  stream_.Append(Command({"SET", "a", "1"}));
  EXPECT_EQ(Kept(Tail(record + 5)),
            absl::StrCat(Command({"SELECT", "0"}), Command({"SET", "a", "1"})));
}

TEST_F(DiscardedTailTest, RecordsMayLieInSeveralChunks) {
  stream_.Append(Command({"SELECT", "0"}));
  std::string all = Command({"SELECT", "0"});
  for (size_t size : {10, 70'000, 5, 200'000, 60'000, 1}) {
    const std::string value(size, 'x');
    const std::string command = Command({"SET", "k", value});
    stream_.Append(command);
    all += command;
  }
  EXPECT_EQ(Kept(Tail(0)), all);
}

TEST_F(DiscardedTailTest, AnEmptyTailHasNoFile) {
  stream_.Append(Command({"SET", "a", "1"}));
  const auto kept = Write(Tail(stream_.tail()));
  ASSERT_TRUE(kept.ok());
  EXPECT_FALSE(kept->has_value());
}

TEST_F(DiscardedTailTest, WhatIsLostHasAnotherName) {
  files_.Put("undecided-notes.txt", "");
  stream_.Append(Command({"SET", "a", "1"}));
  ASSERT_TRUE(Write(Tail(0), 1).ok());
  ASSERT_TRUE(Write(Tail(0), 2).ok());
  const auto paths = KeepDiscardedTails(files_);
  ASSERT_TRUE(paths.ok());
  EXPECT_EQ(*paths, Names("discarded-", {"02", "01"}));
  for (const std::string& path : *paths) {
    EXPECT_EQ(files_.Content(path),
              absl::StrCat(Command({"SELECT", "0"}), Command({"SET", "a", "1"})));
  }
  std::vector<std::string> expected = Names("discarded-", {"01", "02"});
  expected.emplace_back("undecided-notes.txt");
  EXPECT_EQ(files_.Paths(), expected);
  EXPECT_TRUE(KeepDiscardedTails(files_)->empty());
}

TEST_F(DiscardedTailTest, WhatThePrimaryHasIsRemoved) {
  files_.Put("undecided-notes.txt", "");
  stream_.Append(Command({"SET", "a", "1"}));
  ASSERT_TRUE(Write(Tail(0), 1).ok());
  ASSERT_TRUE(KeepDiscardedTails(files_).ok());
  ASSERT_TRUE(Write(Tail(0), 2).ok());
  ASSERT_TRUE(Write(Tail(0), 3).ok());
  ASSERT_TRUE(RemoveUndecidedTails(files_).ok());
  std::vector<std::string> expected = Names("discarded-", {"01"});
  expected.emplace_back("undecided-notes.txt");
  EXPECT_EQ(files_.Paths(), expected);
}

TEST_F(DiscardedTailTest, TheThreeNewestFilesOfEachFormStay) {
  files_.Put("dump.rdb", "");
  files_.Put("discarded-notes.txt", "");
  stream_.Append(Command({"SET", "a", "1"}));
  for (int64_t at_s = 1; at_s <= 5; ++at_s) {
    ASSERT_TRUE(Write(Tail(0), at_s).ok());
    ASSERT_TRUE(KeepDiscardedTails(files_).ok());
  }
  for (int64_t at_s = 11; at_s <= 15; ++at_s) ASSERT_TRUE(Write(Tail(0), at_s).ok());
  std::vector<std::string> expected = Names("discarded-", {"03", "04", "05"});
  expected.insert(expected.end(), {"discarded-notes.txt", "dump.rdb"});
  for (const std::string& name : Names("undecided-", {"13", "14", "15"})) expected.push_back(name);
  EXPECT_EQ(files_.Paths(), expected);
}

TEST_F(DiscardedTailTest, WhatCannotBeRenamedStaysUndecided) {
  stream_.Append(Command({"SET", "a", "1"}));
  ASSERT_TRUE(Write(Tail(0), 1).ok());
  files_.FailNth(1, FaultyFiles::Call::kRename, ENOSPC);
  EXPECT_FALSE(KeepDiscardedTails(files_).ok());
  files_.Heal();
  EXPECT_EQ(files_.Paths(), Names("undecided-", {"01"}));
}

TEST_F(DiscardedTailTest, AFailureLeavesNoFileAndRemovesNone) {
  stream_.Append(Command({"SET", "a", "1"}));
  for (int64_t at_s = 1; at_s <= 3; ++at_s) ASSERT_TRUE(Write(Tail(0), at_s).ok());
  const std::vector<std::string> before = files_.Paths();
  for (const auto call : {FaultyFiles::Call::kOpen, FaultyFiles::Call::kWrite,
                          FaultyFiles::Call::kSync, FaultyFiles::Call::kRename}) {
    files_.FailNth(1, call, ENOSPC);
    EXPECT_FALSE(Write(Tail(0), 9).ok());
    files_.Heal();
    EXPECT_EQ(files_.Paths(), before);
  }
}

}  // namespace
}  // namespace cloakroom
