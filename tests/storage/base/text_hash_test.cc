#include "storage/base/text_hash.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <set>
#include <string>

#include "storage/keyspace/key_hash.h"

namespace cloakroom {
namespace {

/// libstdc++'s std::hash of strings, MurmurHash64A: how it mixes eight bytes, and the inverse.
constexpr uint64_t kMul = (uint64_t{0xc6a4a793} << 32) + 0x5bd1e995;
constexpr uint64_t kTopBit = uint64_t{1} << 63;

uint64_t Unshift(uint64_t value) { return value ^ (value >> 47); }

/// The multiplicative inverse of kMul, by Newton's method.
uint64_t InverseOfMul() {
  uint64_t inverse = kMul;
  for (int i = 0; i < 6; ++i) inverse *= 2 - kMul * inverse;
  return inverse;
}

uint64_t Mixed(uint64_t block) {
  block *= kMul;
  return (block ^ (block >> 47)) * kMul;
}

uint64_t Unmixed(uint64_t value) { return Unshift(value * InverseOfMul()) * InverseOfMul(); }

/// A block whose highest mixed bit is flipped; two such blocks in a row leave the hash unchanged.
uint64_t Turned(uint64_t block) { return Unmixed(Mixed(block) ^ kTopBit); }

/// One of 2^10 keys that std::hash cannot tell apart.
std::string Colliding(int number) {
  std::string key;
  for (int pair = 0; pair < 10; ++pair) {
    for (uint64_t block : {uint64_t{0x1122334455667788}, uint64_t{0x99aabbccddeeff00}}) {
      if ((number >> pair & 1) != 0) block = Turned(block);
      char bytes[sizeof(block)];
      std::memcpy(bytes, &block, sizeof(block));
      key.append(bytes, sizeof(bytes));
    }
  }
  return key;
}

TEST(HashTextTest, KeysThatCollideInTheStandardHashDoNotCollideHere) {
  constexpr int kKeys = 1024;
  std::set<std::string> keys;
  std::set<size_t> standard;
  std::set<uint64_t> ours;
  std::set<uint64_t> of_keys;
  for (int i = 0; i < kKeys; ++i) {
    const std::string key = Colliding(i);
    keys.insert(key);
    standard.insert(std::hash<std::string_view>{}(key));
    ours.insert(HashText(key));
    of_keys.insert(KeyHash::Of(key).value);
  }
  EXPECT_EQ(keys.size(), size_t{kKeys});
  EXPECT_EQ(standard.size(), 1U) << "the attack that this test is about";
  EXPECT_EQ(ours.size(), size_t{kKeys});
  EXPECT_EQ(of_keys.size(), size_t{kKeys});
}

TEST(HashTextTest, EqualTextsHaveEqualHashes) {
  EXPECT_EQ(HashText("key"), HashText(std::string("key")));
  EXPECT_EQ(HashText(""), HashText(std::string_view()));
}

}  // namespace
}  // namespace cloakroom
