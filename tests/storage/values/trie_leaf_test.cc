#include "storage/values/trie_leaf.h"

#include <gtest/gtest.h>

#include <string>

namespace cloakroom {
namespace {

TEST(TrieLeafTest, EqualTagsAreToldApartByTheField) {
  TrieLeafEditor editor(TrieLeaf::Create(true));
  editor.Append(7, "a", "1", kNever);
  editor.Append(9, "b", "2", kNever);
  editor.Append(7, "c", "3", kNever);
  EXPECT_EQ(editor.leaf()->Find(7, "c")->value.bytes, "3");
  EXPECT_FALSE(editor.leaf()->Find(7, "b"));
  EXPECT_FALSE(editor.leaf()->Find(8, "a"));
  TrieLeaf::Free(editor.leaf());
}

TEST(TrieLeafTest, TagsStayWithTheirItems) {
  TrieLeafEditor editor(TrieLeaf::Create(false));
  for (int i = 0; i < 100; ++i) {
    editor.Append(static_cast<uint8_t>(i), std::to_string(i), {}, kNever);
  }
  for (int i = 0; i < 100; i += 2) {
    editor.Erase(*editor.leaf()->Find(static_cast<uint8_t>(i), std::to_string(i)));
  }
  ASSERT_EQ(editor.leaf()->size(), 50u);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(editor.leaf()->Find(static_cast<uint8_t>(i), std::to_string(i)).has_value(), i % 2);
  }
  TrieLeaf::Free(editor.leaf());
}

TEST(TrieLeafTest, CopyHoldsItsOwnReferencesToBlobs) {
  TrieLeafEditor editor(TrieLeaf::Create(true));
  editor.Append(1, "data", std::string(2000, 'd'), kNever);
  TrieLeaf* const copy = TrieLeaf::Copy(editor.leaf());
  const BlobRef blob = BlobRef::Share(copy->Find(1, "data")->value.blob);
  TrieLeaf::Free(editor.leaf());
  EXPECT_EQ(copy->Find(1, "data")->value.bytes, std::string(2000, 'd'));
  TrieLeaf::Free(copy);
  EXPECT_TRUE(blob->unique());
}

TEST(TrieLeafTest, MemoryFollowsTheContents) {
  TrieLeafEditor editor(TrieLeaf::Create(false));
  for (int i = 0; i < 30; ++i) {
    editor.Append(static_cast<uint8_t>(i), std::to_string(i) + std::string(40, 'm'), {}, kNever);
    EXPECT_LE(editor.leaf()->memory(), editor.leaf()->byte_size() * 5 / 4 + 32);
  }
  for (int i = 0; i < 29; ++i) {
    editor.Erase(
        *editor.leaf()->Find(static_cast<uint8_t>(i), std::to_string(i) + std::string(40, 'm')));
  }
  EXPECT_LE(editor.leaf()->memory(), 128u);
  TrieLeaf::Free(editor.leaf());
}

}  // namespace
}  // namespace cloakroom
