#include "storage/values/list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/storage/support/fake_slot.h"
#include "tests/storage/support/value_text.h"

namespace cloakroom {
namespace {

using Texts = std::vector<std::string>;

class ListTest : public ::testing::Test {
 protected:
  MutableList list() { return MutableList(slot_, limits_); }
  std::string_view Name() { return EncodingName(slot_.view()); }
  bool IsTree() { return slot_.encoding() == Encoding::kBTree; }

  void Push(ListEnd end, const Texts& elements) {
    const std::vector<std::string_view> views(elements.begin(), elements.end());
    list().Push(end, views);
  }
  void PushBack(const Texts& elements) { Push(ListEnd::kBack, elements); }
  void PushMany(size_t count, const std::string& element = "element") {
    for (size_t i = 0; i < count; ++i) list().Push(ListEnd::kBack, element);
  }

  static Texts TextsOf(const List& list) {
    Texts texts;
    list.ForEach(0, list.size(), [&](std::string_view element) { texts.emplace_back(element); });
    return texts;
  }
  Texts Now() { return TextsOf(list().view()); }

  EncodingLimits limits_;
  FakeSlot slot_;
};

TEST_F(ListTest, AbsentIsEmpty) {
  EXPECT_TRUE(List().empty());
  EXPECT_TRUE(list().view().empty());
  EXPECT_FALSE(slot_.exists());
}

TEST_F(ListTest, BothEndsTakeElementsOneAfterTheOther) {
  PushBack({"c", "d"});
  Push(ListEnd::kFront, {"b", "a"});
  EXPECT_EQ(Now(), (Texts{"a", "b", "c", "d"}));
  list().Pop(ListEnd::kFront, 1);
  list().Pop(ListEnd::kBack, 2);
  EXPECT_EQ(Now(), Texts{"b"});
  list().Pop(ListEnd::kBack, 1);
  EXPECT_FALSE(slot_.exists());
}

TEST_F(ListTest, ElementsAreSetAndInsertedByIndex) {
  PushBack({"a", "b"});
  list().Set(1, "B");
  list().Insert(1, "middle");
  list().Insert(0, "first");
  list().Insert(4, "last");
  EXPECT_EQ(Now(), (Texts{"first", "a", "middle", "B", "last"}));
  list().Trim(1, 3);
  EXPECT_EQ(Now(), (Texts{"a", "middle", "B"}));
}

TEST_F(ListTest, TheOnlyElementCanBeReplaced) {
  for (const size_t size : {3, 100'000}) {
    PushBack({std::string(size, 'x')});
    list().Set(0, std::string(size / 2, 'y'));
    EXPECT_EQ(Now(), Texts{std::string(size / 2, 'y')});
    list().Pop(ListEnd::kFront, 1);
    ASSERT_FALSE(slot_.exists());
  }
}

TEST_F(ListTest, EqualElementsAreErasedFromEitherEnd) {
  for (const bool tree : {false, true}) {
    limits_.list_max_listpack_size = tree ? 2 : 100;
    PushBack({"x", "a", "x", "b", "x", "c", "x"});
    EXPECT_EQ(list().EraseEqual("x", ListEnd::kFront, 1), 1u);
    EXPECT_EQ(Now(), (Texts{"a", "x", "b", "x", "c", "x"}));
    EXPECT_EQ(list().EraseEqual("x", ListEnd::kBack, 2), 2u);
    EXPECT_EQ(Now(), (Texts{"a", "x", "b", "c"}));
    EXPECT_EQ(list().EraseEqual("absent", ListEnd::kBack, 9), 0u);
    list().Pop(ListEnd::kFront, 4);
    PushBack({"x", "x", "x", "x", "x"});
    EXPECT_EQ(list().EraseEqual("x", tree ? ListEnd::kFront : ListEnd::kBack, SIZE_MAX), 5u);
    EXPECT_FALSE(slot_.exists());
  }
}

TEST_F(ListTest, ManyElementsMakeATreeAndFewAgainARun) {
  PushMany(2000);
  EXPECT_TRUE(IsTree());
  list().Pop(ListEnd::kFront, 1000);
  list().Pop(ListEnd::kBack, 900);
  EXPECT_FALSE(IsTree());
  EXPECT_EQ(Now(), Texts(100, "element"));
}

TEST_F(ListTest, ASharedListStaysAsItWas) {
  for (size_t i = 0; i < 5000; ++i) list().Push(ListEnd::kBack, std::to_string(i));
  const SharedValue shared = list().view().Share();
  const Texts before = Now();
  for (int i = 0; i < 500; ++i) {
    list().Pop(ListEnd::kFront, 3);
    list().Set(7, "changed");
    list().Insert(9, "new");
    list().Push(ListEnd::kBack, "pushed");
  }
  list().EraseEqual("new", ListEnd::kBack, SIZE_MAX);
  EXPECT_EQ(TextsOf(List(shared.view())), before);
  EXPECT_NE(Now(), before);
}

TEST_F(ListTest, ACursorGoesBothWays) {
  for (size_t i = 0; i < 3000; ++i) list().Push(ListEnd::kBack, std::to_string(i));
  ListCursor cursor = list().view().At(0);
  for (size_t i = 0; i < 3000; ++i, cursor.Next()) {
    ASSERT_TRUE(cursor.at());
    ASSERT_EQ(cursor.element().view(), std::to_string(i));
  }
  EXPECT_FALSE(cursor.at());
  cursor = list().view().At(2999);
  for (size_t i = 3000; i-- > 0; cursor.Previous()) {
    ASSERT_TRUE(cursor.at());
    ASSERT_EQ(cursor.element().view(), std::to_string(i));
  }
  EXPECT_FALSE(cursor.at());
}

TEST_F(ListTest, TheRowTellsItsElementsInTheirOrder) {
  PushBack({"b", "a", "b"});
  EXPECT_EQ(TextOf(slot_.view()), "b a b");
  EXPECT_EQ(OpsOf(ValueType::kList).size(slot_.view(), 0), 3u);
  EXPECT_EQ(ValueMemory(slot_.view()), 0u);
  PushMany(10'000);
  EXPECT_GT(ValueMemory(slot_.view(), 0), 70'000u);
  EXPECT_LT(ValueMemory(slot_.view(), 0), 90'000u);
  EXPECT_GT(ReleaseCost(slot_.view()), 50u);
}

// Redis' header of a listpack has 7 bytes, and each of these elements 9.
TEST_F(ListTest, ItIsAQuicklistAboveTheLimitAndAListpackAgainAtHalf) {
  PushMany((8192 - 7) / 9);
  EXPECT_EQ(Name(), "listpack");
  PushMany(1);
  EXPECT_EQ(Name(), "quicklist");
  const size_t half = (4096 - 7) / 9;
  list().Pop(ListEnd::kFront, list().view().size() - half - 1);
  EXPECT_EQ(Name(), "quicklist");
  list().Pop(ListEnd::kFront, 1);
  EXPECT_EQ(Name(), "listpack");
}

TEST_F(ListTest, BeforeAPushTheTextsOfAllItsElementsCount) {
  // Redis adds up the bytes of the texts, though it will store them as integers.
  PushBack(Texts(512, "1234567890123456"));
  EXPECT_EQ(Name(), "quicklist");
  slot_.set_outgrown(true);
  list().SettleEncoding();
  EXPECT_EQ(Name(), "listpack");
}

TEST_F(ListTest, ALimitOfElementsCountsThem) {
  limits_.list_max_listpack_size = 4;
  PushBack({"1", "2", "3", "4"});
  EXPECT_EQ(Name(), "listpack");
  PushBack({"5"});
  EXPECT_EQ(Name(), "quicklist");
  list().Pop(ListEnd::kBack, 2);
  EXPECT_EQ(Name(), "quicklist");
  list().Pop(ListEnd::kBack, 1);
  EXPECT_EQ(Name(), "listpack");
  // And a list that grows may not exceed 8 KB.
  PushBack({std::string(8192, 'x')});
  EXPECT_EQ(Name(), "quicklist");
}

TEST_F(ListTest, AnyNumberIsALimit) {
  for (const int setting : {0, 1, INT_MAX, INT_MIN, -6}) {
    limits_.list_max_listpack_size = setting;
    PushBack({"a", "b"});
    EXPECT_EQ(Name(), setting == 0 || setting == 1 ? "quicklist" : "listpack") << setting;
    list().Pop(ListEnd::kFront, 2);
  }
}

TEST_F(ListTest, AReplacementGrowsOrShrinksTheList) {
  PushBack({"a", "b"});
  list().Set(0, std::string(9000, 'x'));
  EXPECT_EQ(Name(), "quicklist");
  list().Set(0, "small");
  EXPECT_EQ(Name(), "listpack");
}

/// A list and a deque that get the same changes.
class ListModelTest : public ListTest, public ::testing::WithParamInterface<int> {
 protected:
  size_t Below(size_t limit) { return random_() % limit; }
  std::string Element() {
    switch (Below(8)) {
      case 0:
        return std::string(Below(3000), 'l');
      case 1:
      case 2:
        return std::to_string(static_cast<int>(random_()));
      default:
        return std::string(Below(9), static_cast<char>('a' + Below(3)));
    }
  }
  auto At(size_t index) { return model_.begin() + static_cast<ptrdiff_t>(index); }

  void Grow() {
    const std::string element = Element();
    switch (Below(3)) {
      case 0:
        list().Push(ListEnd::kFront, element);
        return model_.push_front(element);
      case 1:
        list().Push(ListEnd::kBack, element);
        return model_.push_back(element);
      default:
        if (model_.empty()) return;
        const size_t index = Below(model_.size() + 1);
        list().Insert(index, element);
        model_.insert(At(index), element);
    }
  }
  void Change() {
    const size_t size = model_.size();
    const size_t count = 1 + Below(std::min<size_t>(size, Below(40) == 0 ? 600 : 3));
    switch (Below(5)) {
      case 0:
        list().Pop(ListEnd::kFront, count);
        model_.erase(model_.begin(), At(count));
        return;
      case 1:
        list().Pop(ListEnd::kBack, count);
        model_.erase(At(size - count), model_.end());
        return;
      case 2: {
        const size_t first = Below(count);
        list().Trim(first, size - count);
        model_.erase(At(size - (count - first)), model_.end());
        model_.erase(model_.begin(), At(first));
        return;
      }
      case 3: {
        const size_t index = Below(size);
        const std::string element = Element();
        list().Set(index, element);
        model_[index] = element;
        return;
      }
      default:
        return EraseEqual(model_[Below(size)], Below(2) == 0, 1 + Below(5));
    }
  }
  void EraseEqual(const std::string element, bool from_front, size_t limit) {
    if (!from_front) std::ranges::reverse(model_);
    size_t erased = 0;
    std::erase_if(model_, [&](const std::string& other) {
      if (other != element || erased == limit) return false;
      erased += 1;
      return true;
    });
    if (!from_front) std::ranges::reverse(model_);
    EXPECT_EQ(list().EraseEqual(element, from_front ? ListEnd::kFront : ListEnd::kBack, limit),
              erased);
  }

  std::deque<std::string> model_;
  std::mt19937 random_{7};
};

TEST_P(ListModelTest, RandomChangesGiveWhatADequeHolds) {
  limits_.list_max_listpack_size = GetParam();
  std::optional<SharedValue> shared;
  Texts of_shared;
  for (int step = 0; step < 12'000; ++step) {
    // Grows in the first half, and shrinks then.
    if (model_.empty() || Below(100) < (step < 6000 ? 75u : 40u)) {
      Grow();
    } else {
      Change();
    }
    ASSERT_EQ(list().view().size(), model_.size());
    if (model_.empty()) continue;
    const size_t any = Below(model_.size());
    ASSERT_EQ(list().view().At(any).element().view(), model_[any]) << step;
    if (step % 500 != 0) continue;
    ASSERT_EQ(Now(), Texts(model_.begin(), model_.end())) << step;
    if (shared) ASSERT_EQ(TextsOf(List(shared->view())), of_shared);
    shared = list().view().Share();
    of_shared = Now();
    // What is counted from change to change is what counting anew gives.
    const bool outgrown = slot_.outgrown();
    size_t listpack = 7;
    for (const std::string& element : model_) listpack += ListCode(element).ListpackSize();
    if (GetParam() < 0) {
      const size_t limit = size_t{4096} << (-GetParam() - 1);
      list().SettleEncoding();
      EXPECT_EQ(slot_.outgrown(), listpack > limit) << step;
      slot_.set_outgrown(outgrown);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Limits, ListModelTest, ::testing::Values(-2, -1, -5, 1, 3, 128));

}  // namespace
}  // namespace cloakroom
