#include "storage/values/memory_slot.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/values/hash.h"
#include "storage/values/string_value.h"

namespace cloakroom {
namespace {

TEST(MemorySlotTest, HoldsOneValueAfterTheOther) {
  MemorySlot slot;
  EXPECT_FALSE(slot.exists());
  MutableHash(slot, {}).Set("field", std::string(100, 'v'), 0);
  EXPECT_EQ(Hash(slot.view()).size(0), 1u);
  slot.set_outgrown(true);
  slot.Clear();
  EXPECT_FALSE(slot.exists());
  MutableString(slot).Assign("text");
  EXPECT_EQ(slot.type(), ValueType::kString);
  EXPECT_FALSE(slot.outgrown());
  EXPECT_EQ(StringView(slot.view()).bytes(), "text");
}

TEST(MemorySlotTest, SplicesAnywhere) {
  MemorySlot slot;
  slot.Create(ValueType::kString, Encoding::kBytes);
  std::string("0123456789").copy(slot.Splice(0, 0, 10), 10);
  slot.Splice(2, 3, 0);
  EXPECT_EQ(slot.bytes(), "0156789");
  std::string("abcd").copy(slot.Splice(2, 1, 4), 4);
  EXPECT_EQ(slot.bytes(), "01abcd6789");
  // More than it has room for: the old bytes move along.
  const std::string more(10'000, 'x');
  more.copy(slot.Splice(10, 0, more.size()), more.size());
  EXPECT_EQ(slot.bytes(), "01abcd6789" + more);
}

TEST(MemorySlotTest, ReleasesWhatItStillHoldsAndNothingElse) {
  BlobRef blob = BlobRef::Adopt(Blob::Create(std::string(5000, 'x')));
  const auto assign = [&](MemorySlot& slot) {
    blob->Ref();
    MutableString(slot).AssignBlob(BlobRef::Adopt(const_cast<Blob*>(blob.get())));
    EXPECT_FALSE(blob->unique());
  };
  {
    MemorySlot slot;
    assign(slot);
  }
  EXPECT_TRUE(blob->unique());
  MemorySlot slot;
  assign(slot);
  slot.Clear();
  EXPECT_TRUE(blob->unique());
  assign(slot);
  slot.GiveAway();
  EXPECT_FALSE(blob->unique());
  blob->Unref();
}

}  // namespace
}  // namespace cloakroom
