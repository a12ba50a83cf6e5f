#include "storage/values/packed.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/storage/support/fake_slot.h"

namespace cloakroom {
namespace {

class PackedTest : public ::testing::TestWithParam<bool> {
 protected:
  ~PackedTest() override {
    if (region_.size() > 0) view().UnrefBlobs();
  }

  PackedView view() { return PackedView(region_.bytes()); }
  void Init(bool has_values) { PackedBlock::Init(region_, has_values); }
  void Append(std::string_view field, std::string_view value, int64_t expiry = kNever) {
    block_.Append(field, value, expiry);
  }
  std::vector<std::pair<std::string, std::string>> Contents() {
    std::vector<std::pair<std::string, std::string>> contents;
    for (const PackedItem& item : view()) contents.emplace_back(item.field, item.value.bytes);
    return contents;
  }

  FakeRegion region_;
  PackedBlock block_{region_};
};

TEST_F(PackedTest, EmptyBlockIsFourBytes) {
  Init(true);
  EXPECT_EQ(region_.size(), 4u);
  EXPECT_EQ(view().size(), 0u);
  EXPECT_TRUE(view().begin() == view().end());
  EXPECT_FALSE(view().Find(""));
}

TEST_F(PackedTest, ItemsComeInInsertionOrder) {
  Init(true);
  Append("b", "2");
  Append("a", "1");
  Append("", "");
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(Contents(), (Pairs{{"b", "2"}, {"a", "1"}, {"", ""}}));
  EXPECT_EQ(view().At(1).field, "a");
  EXPECT_EQ(view().At(2).index, 2u);
}

TEST_F(PackedTest, SetMemberCostsOneByteMoreThanItself) {
  Init(false);
  Append(std::string(40, 'm'), {});
  EXPECT_EQ(region_.size(), 4u + 1 + 40);
}

TEST_F(PackedTest, FieldIsNotFoundByItsPrefixNorByAValue) {
  Init(true);
  Append("field", "value");
  EXPECT_TRUE(view().Find("field"));
  EXPECT_FALSE(view().Find("fiel"));
  EXPECT_FALSE(view().Find("fields"));
  EXPECT_FALSE(view().Find("value"));
}

TEST_F(PackedTest, LengthsAroundEachBoundaryComeBack) {
  Init(true);
  const std::vector<size_t> sizes = {0, 1, 127, 128, 1023, 1024, 16383, 16384, 70000};
  for (const size_t size : sizes) Append(std::string(size, 'f'), std::string(size, 'v'));
  for (const size_t size : sizes) {
    const auto item = view().Find(std::string(size, 'f'));
    ASSERT_TRUE(item) << size;
    EXPECT_EQ(item->value.bytes, std::string(size, 'v'));
    EXPECT_EQ(item->value.blob != nullptr, size >= kMinBlobValue);
  }
}

TEST_F(PackedTest, ValueChangesBetweenInlineAndBlob) {
  Init(true);
  Append("first", "1");
  Append("second", "2");
  for (const size_t size : {2000, 0, 1024, 1023, 5000, 5001, 3}) {
    block_.SetValue(*view().Find("first"), std::string(size, 'x'));
    EXPECT_EQ(view().Find("first")->value.bytes, std::string(size, 'x'));
    EXPECT_EQ(view().Find("second")->value.bytes, "2");
  }
}

TEST_F(PackedTest, BlobIsOwnedOnce) {
  Init(true);
  Append("data", std::string(2000, 'd'));
  const BlobRef held = BlobRef::Share(view().Find("data")->value.blob);
  EXPECT_FALSE(held->unique());
  block_.Erase(*view().Find("data"));
  EXPECT_TRUE(held->unique());
  EXPECT_EQ(view().size(), 0u);
}

TEST_F(PackedTest, ReplacingAValueDropsItsBlob) {
  Init(true);
  Append("data", std::string(2000, 'd'));
  const BlobRef held = BlobRef::Share(view().Find("data")->value.blob);
  block_.SetValue(*view().Find("data"), "short");
  EXPECT_TRUE(held->unique());
}

TEST_F(PackedTest, MinExpiryFollowsTheFields) {
  Init(true);
  Append("a", "1");
  EXPECT_EQ(view().MinExpiry(), kNever);
  Append("b", "2", 500);
  block_.SetExpiry(*view().Find("a"), 300);
  EXPECT_EQ(view().MinExpiry(), 300);
  EXPECT_EQ(view().Find("a")->value.bytes, "1");
  block_.SetExpiry(*view().Find("a"), kNever);
  EXPECT_EQ(view().MinExpiry(), 500);
  block_.Erase(*view().Find("b"));
  EXPECT_EQ(view().MinExpiry(), kNever);
}

TEST_F(PackedTest, ItemWithoutExpiryPaysNothingForIt) {
  Init(true);
  Append("a", "1");
  const size_t before = region_.size();
  Append("b", "2", 500);
  EXPECT_EQ(region_.size(), before + 4 + 9);
  block_.SetExpiry(*view().Find("b"), kNever);
  EXPECT_EQ(region_.size(), before + 4);
}

TEST_F(PackedTest, ValidateRefusesEveryTruncationAndExtension) {
  Init(true);
  Append("field", std::string(200, 'v'), 77);
  Append("other", "w");
  const std::string good(region_.bytes());
  EXPECT_TRUE(PackedView::Validate(good));
  for (size_t size = 0; size < good.size(); ++size) {
    const std::vector<char> exact(good.begin(), good.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_FALSE(PackedView::Validate({exact.data(), exact.size()})) << size;
  }
  EXPECT_FALSE(PackedView::Validate(good + '\0'));
}

TEST_F(PackedTest, ValidateRefusesPointersFromOutside) {
  Init(true);
  Append("data", std::string(2000, 'd'));
  EXPECT_FALSE(PackedView::Validate(region_.bytes()));
}

TEST_F(PackedTest, ValidateRefusesAnExpiryThatTheHeaderDenies) {
  Init(true);
  Append("f", "v", 77);
  std::string block(region_.bytes());
  block[0] = 1;
  EXPECT_FALSE(PackedView::Validate(block));
}

TEST_F(PackedTest, ValidateRefusesAnExpiryThatSaysNever) {
  Init(true);
  Append("f", "v", 77);
  std::string block(region_.bytes());
  block.replace(5, 8, std::string(7, '\xFF') + '\x7F');
  EXPECT_FALSE(PackedView::Validate(block));
}

// Random changes, compared with a plain vector.
TEST_P(PackedTest, BehavesAsAListOfItems) {
  const bool has_values = GetParam();
  struct Model {
    std::string field, value;
    int64_t expiry;
  };
  std::vector<Model> model;
  std::mt19937 rng(7);
  const auto random = [&](size_t below) { return rng() % below; };
  const auto random_value = [&] {
    return has_values ? std::string(random(3) == 0 ? random(3000) : random(20), 'v') : "";
  };
  Init(has_values);
  for (int step = 0; step < 5000; ++step) {
    const std::string field = std::to_string(random(60)) + std::string(random(2) * 150, 'f');
    const auto at = std::find_if(model.begin(), model.end(),
                                 [&](const Model& item) { return item.field == field; });
    const auto found = view().Find(field);
    ASSERT_EQ(found.has_value(), at != model.end());
    if (!found) {
      model.push_back({field, random_value(), kNever});
      Append(field, model.back().value);
    } else if (random(3) == 0) {
      block_.Erase(*found);
      model.erase(at);
    } else if (has_values && random(2) == 0) {
      at->value = random_value();
      block_.SetValue(*found, at->value);
    } else if (has_values) {
      at->expiry = random(2) == 0 ? kNever : static_cast<int64_t>(random(1000));
      block_.SetExpiry(*found, at->expiry);
    }
    ASSERT_EQ(view().size(), model.size());
    size_t index = 0;
    for (const PackedItem& item : view()) {
      ASSERT_EQ(item.index, index);
      ASSERT_EQ(item.field, model[index].field);
      ASSERT_EQ(item.value.bytes, model[index].value);
      ASSERT_EQ(item.expires_at_ms, model[index].expiry);
      ++index;
    }
    ASSERT_EQ(index, model.size());
  }
}

INSTANTIATE_TEST_SUITE_P(SetsAndHashes, PackedTest, ::testing::Bool());

}  // namespace
}  // namespace cloakroom
