#include "storage/values/list_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

using Texts = std::vector<std::string>;

class ListRunTest : public ::testing::Test {
 protected:
  ListRunTest() { std::ranges::copy(ListRun::kEmpty, region_.Splice(0, 0, 4)); }

  void Insert(size_t index, const std::string& element) { run_.Insert(index, ListCode(element)); }
  void Append(const Texts& elements) {
    for (const std::string& element : elements) Insert(run_.view().size(), element);
  }
  Texts Forwards() {
    Texts texts;
    ListRunCursor cursor = run_.view().At(0);
    for (; cursor.index() < run_.view().size(); cursor.Next()) {
      texts.emplace_back(cursor.element().view());
    }
    return texts;
  }
  Texts Backwards() {
    Texts texts;
    ListRunCursor cursor = run_.view().At(run_.view().size());
    while (cursor.index() > 0) {
      cursor.Previous();
      texts.emplace_back(cursor.element().view());
    }
    return texts;
  }
  void Expect(const Texts& texts) {
    EXPECT_EQ(run_.view().size(), texts.size());
    EXPECT_EQ(Forwards(), texts);
    EXPECT_EQ(Backwards(), Texts(texts.rbegin(), texts.rend()));
  }

  FakeRegion region_;
  ListRun run_{region_};
};

TEST_F(ListRunTest, AnEmptyRunHasNoElements) { Expect({}); }

TEST_F(ListRunTest, EveryIntegerAndTextComesBack) {
  Texts texts = {"", "a", "007", "-0", "+1", " 1", "1 ", "9223372036854775808", "1e3"};
  for (unsigned bits = 0; bits < 63; ++bits) {
    for (const int64_t near : {-1, 0, 1}) {
      const int64_t value = (int64_t{1} << bits) + near;
      texts.push_back(std::to_string(value));
      texts.push_back(std::to_string(-value));
    }
  }
  texts.push_back(std::to_string(std::numeric_limits<int64_t>::min()));
  texts.push_back(std::to_string(std::numeric_limits<int64_t>::max()));
  for (const size_t size : {63, 64, 127, 128, 255, 65'535, 65'536, 200'000}) {
    texts.emplace_back(size, 'x');
  }
  Append(texts);
  Expect(texts);
}

TEST_F(ListRunTest, SmallElementsTakeAByteBesideTheirContent) {
  const auto size = [](const char* element) { return ListCode(element).size(); };
  EXPECT_EQ(size(""), 1u);
  EXPECT_EQ(size("xyz"), 4u);
  EXPECT_EQ(size("63"), 1u);
  EXPECT_EQ(size("4095"), 2u);
  EXPECT_EQ(size("-4096"), 2u);
  EXPECT_EQ(size("4096"), 3u);
  EXPECT_EQ(size("-2147483648"), 5u);
  EXPECT_EQ(size("9223372036854775807"), 9u);
}

// The sizes that redis-server's listpacks have (lpBytes in DEBUG LISTPACK's words).
TEST_F(ListRunTest, ItKnowsWhatAListpackWouldTake) {
  const auto size = [&](const std::string& element) {
    const ListCode code(element);
    Insert(0, element);
    EXPECT_EQ(run_.view().ListpackSize(0, 1), code.ListpackSize()) << element;
    return code.ListpackSize();
  };
  EXPECT_EQ(size("0"), 2u);
  EXPECT_EQ(size("127"), 2u);
  EXPECT_EQ(size("128"), 3u);
  EXPECT_EQ(size("-1"), 3u);
  EXPECT_EQ(size("-4096"), 3u);
  EXPECT_EQ(size("4096"), 4u);
  EXPECT_EQ(size("32768"), 5u);
  EXPECT_EQ(size("8388608"), 6u);
  EXPECT_EQ(size("2147483648"), 10u);
  EXPECT_EQ(size(""), 2u);
  EXPECT_EQ(size(std::string(63, 'x')), 65u);
  EXPECT_EQ(size(std::string(64, 'x')), 67u);
  EXPECT_EQ(size(std::string(125, 'x')), 128u);
  EXPECT_EQ(size(std::string(126, 'x')), 130u);
  EXPECT_EQ(size(std::string(4095, 'x')), 4099u);
  EXPECT_EQ(size(std::string(4096, 'x')), 4103u);
  EXPECT_EQ(size(std::string(20'000, 'x')), 20'008u);
}

TEST_F(ListRunTest, ElementsAreFoundByTheirText) {
  Append({"7", "seven", "", "70000"});
  EXPECT_TRUE(run_.view().At(0).Is(ListCode("7")));
  EXPECT_TRUE(run_.view().At(1).Is(ListCode("seven")));
  EXPECT_TRUE(run_.view().At(2).Is(ListCode("")));
  EXPECT_TRUE(run_.view().At(3).Is(ListCode("70000")));
  EXPECT_FALSE(run_.view().At(0).Is(ListCode("07")));
  EXPECT_FALSE(run_.view().At(1).Is(ListCode("eleven")));
}

TEST_F(ListRunTest, ARunIsPutBehindAnother) {
  Append({"a", "1", std::string(300, 'x')});
  FakeRegion other;
  std::ranges::copy(ListRun::kEmpty, other.Splice(0, 0, 4));
  for (const char* element : {"70000", "", "b"}) {
    ListRun(other).Insert(ListRunView(other.bytes()).size(), ListCode(element));
  }
  run_.Append(other.bytes());
  Expect({"a", "1", std::string(300, 'x'), "70000", "", "b"});
}

TEST_F(ListRunTest, RandomChangesGiveWhatADequeHolds) {
  std::mt19937 random(5);
  const auto below = [&](size_t limit) { return random() % limit; };
  std::deque<std::string> model;
  for (int step = 0; step < 20'000; ++step) {
    if (model.empty() || below(100) < 55) {
      const std::string element = below(2) == 0 ? std::to_string(static_cast<int>(random()))
                                  : below(20) == 0
                                      ? std::string(below(400), 'l')
                                      : std::string(below(12), static_cast<char>('a' + below(26)));
      const size_t index = below(model.size() + 1);
      Insert(index, element);
      model.insert(model.begin() + static_cast<ptrdiff_t>(index), element);
    } else {
      const size_t first = below(model.size());
      const size_t count = 1 + below(std::min<size_t>(model.size() - first, 9));
      run_.Erase(first, count);
      const auto from = model.begin() + static_cast<ptrdiff_t>(first);
      model.erase(from, from + static_cast<ptrdiff_t>(count));
    }
    if (step % 100 == 0) Expect(Texts(model.begin(), model.end()));
    if (model.empty()) continue;
    const size_t any = below(model.size());
    ASSERT_EQ(run_.view().At(any).element().view(), model[any]);
  }
}

}  // namespace
}  // namespace cloakroom
