#include "storage/base/blob.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace cloakroom {
namespace {

TEST(BlobTest, HoldsItsBytes) {
  const BlobRef blob = BlobRef::Adopt(Blob::Create("a coat"));
  EXPECT_EQ(blob->bytes(), "a coat");
  EXPECT_EQ(blob->size(), 6u);
  EXPECT_GE(blob->capacity(), 6u);
}

TEST(BlobTest, EmptyIsAValue) {
  const BlobRef blob = BlobRef::Adopt(Blob::Create(std::string_view()));
  EXPECT_EQ(blob->bytes(), "");
}

TEST(BlobTest, IsUniqueUntilShared) {
  const BlobRef first = BlobRef::Adopt(Blob::Create("x"));
  EXPECT_TRUE(first->unique());
  {
    const BlobRef second = first;
    EXPECT_EQ(second.get(), first.get());
    EXPECT_FALSE(first->unique());
  }
  EXPECT_TRUE(first->unique());
}

TEST(BlobTest, MovedReferenceCountsOnce) {
  BlobRef first = BlobRef::Adopt(Blob::Create("x"));
  const BlobRef second = std::move(first);
  EXPECT_TRUE(second->unique());
  EXPECT_FALSE(first);
}

TEST(BlobTest, ResizeKeepsBytesAndShrinksInPlace) {
  Blob* blob = Blob::Resize(Blob::Create("0123456789"), 100'000);
  EXPECT_EQ(blob->bytes().substr(0, 10), "0123456789");
  EXPECT_EQ(blob->size(), 100'000u);
  Blob* const shrunk = Blob::Resize(blob, 4);
  EXPECT_EQ(shrunk, blob);
  EXPECT_EQ(shrunk->bytes(), "0123");
  shrunk->Unref();
}

TEST(BlobTest, GrowingPiecemealSeldomMoves) {
#ifndef CLOAKROOM_JEMALLOC
  GTEST_SKIP() << "a sanitizer's allocator reports the size asked for, not what it gave";
#endif
  Blob* blob = Blob::Create("x");
  int moves = 0;
  for (size_t size = 2; size <= 100'000; ++size) {
    Blob* const grown = Blob::Resize(blob, size);
    moves += grown != blob;
    blob = grown;
  }
  EXPECT_LE(moves, 20);
  blob->Unref();
}

TEST(BlobTest, SessionOfTwoThousandBytesFitsItsSizeClass) {
#ifndef CLOAKROOM_JEMALLOC
  GTEST_SKIP() << "about jemalloc's size classes";
#endif
  const BlobRef blob = BlobRef::Adopt(Blob::Create(std::string(2000, 's')));
  EXPECT_EQ(blob->memory(), 2048u);
}

}  // namespace
}  // namespace cloakroom
