#include "clients/drill/ledger_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/status_matchers.h"

namespace cloakroom::drill {
namespace {

using ::testing::HasSubstr;

class LedgerFileTest : public ::testing::Test {
 protected:
  LedgerFileTest() {
    std::string name = ::testing::TempDir() + "ledger-XXXXXX";
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/run.ledger";
  }
  ~LedgerFileTest() override { std::filesystem::remove_all(folder_); }

  std::string Content() const {
    std::stringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  std::string folder_;
  std::string path_;
  LedgerFile file_;
};

TEST_F(LedgerFileTest, EachEntryIsWrittenOnce) {
  Ledger ledger(2);
  ASSERT_OK(file_.Create(path_, "run 1"));
  ledger.Acknowledge(1, 1, 12);
  ledger.Raise(1, 1, Level::kWait, 12);
  ASSERT_OK(file_.Append(ledger));
  ledger.Acknowledge(0, 5, 20);
  ledger.Acknowledge(1, 2, 30);
  ledger.Raise(1, 2, Level::kWaitAof, 30);
  ledger.Observe(1, 1);
  ASSERT_OK(file_.Append(ledger));
  ASSERT_OK(file_.AppendLosses(ledger));
  EXPECT_EQ(Content(),
            "# run 1\n# ms client number level\n12 1 1 WAIT 1\n20 0 5 plain\n30 1 2 WAITAOF 1 1\n"
            "lost 30 1 2 WAITAOF 1 1\n");
}

TEST_F(LedgerFileTest, AWriteWhoseLevelIsRaisedHasAnotherLine) {
  Ledger ledger(1);
  ASSERT_OK(file_.Create(path_, "run 1"));
  ledger.Acknowledge(0, 1, 10);
  ledger.Acknowledge(0, 2, 20);
  ASSERT_OK(file_.Append(ledger));
  ledger.Raise(0, 1, Level::kWait, 30);
  ASSERT_OK(file_.Append(ledger));
  ASSERT_OK(file_.Append(ledger));
  EXPECT_EQ(Content(),
            "# run 1\n# ms client number level\n10 0 1 plain\n20 0 2 plain\n30 0 1 WAIT 1\n");
}

TEST_F(LedgerFileTest, AnotherRunsFileStays) {
  std::ofstream(path_) << "other";
  EXPECT_THAT(file_.Create(path_, "x"), FailsWith(HasSubstr("exists")));
  EXPECT_EQ(Content(), "other");
}

TEST_F(LedgerFileTest, AFolderThatIsNotThereIsAnError) {
  EXPECT_THAT(file_.Create(folder_ + "/none/x", "x"), FailsWith(HasSubstr("No such file")));
}

}  // namespace
}  // namespace cloakroom::drill
