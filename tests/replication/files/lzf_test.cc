#include "replication/files/lzf.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace cloakroom {
namespace {

using namespace std::string_literals;

/// The compressed form, or "" when it does not fit `limit`.
std::string Compressed(LzfCompressor& compressor, std::string_view in, size_t limit) {
  std::string out(limit + LzfCompressor::kSlack, '\xEE');
  out.resize(compressor.Compress(in, out.data(), limit));
  return out;
}

std::string Restored(std::string_view in, size_t size) {
  // Exactly as large as given, so that a sanitizer finds a byte too many.
  std::vector<char> out(size);
  if (!LzfDecompress(in, out.data(), size)) return "malformed";
  return {out.begin(), out.end()};
}

std::string Text(std::minstd_rand& random, size_t size, unsigned letters) {
  std::string text;
  while (text.size() < size) {
    if (random() % 4 == 0 && text.size() > 20) {
      text.append(text.substr(random() % (text.size() - 10), random() % 300));
    } else {
      text.push_back(static_cast<char>('a' + random() % letters));
    }
  }
  text.resize(size);
  return text;
}

TEST(LzfTest, EveryTextComesBack) {
  LzfCompressor compressor;
  std::minstd_rand random(3);
  for (size_t size = 1; size < 3000; size += 1 + size / 20) {
    for (unsigned letters : {1, 2, 26, 200}) {
      const std::string text = Text(random, size, letters);
      const std::string compressed = Compressed(compressor, text, text.size() * 2 + 8);
      ASSERT_FALSE(compressed.empty());
      ASSERT_EQ(Restored(compressed, size), text) << size << " bytes of " << letters;
    }
  }
}

TEST(LzfTest, MegabytesComeBack) {
  LzfCompressor compressor;
  std::minstd_rand random(5);
  const std::string text = Text(random, 3 << 20, 30);
  const std::string compressed = Compressed(compressor, text, text.size());
  EXPECT_LT(compressed.size(), text.size() / 2);
  EXPECT_TRUE(Restored(compressed, text.size()) == text);
}

TEST(LzfTest, RepetitionsShrinkToAFewBytes) {
  LzfCompressor compressor;
  EXPECT_LT(Compressed(compressor, std::string(1000, 'a'), 1000).size(), 20u);
}

TEST(LzfTest, WhatDoesNotShrinkIsRefused) {
  LzfCompressor compressor;
  std::minstd_rand random(9);
  std::string noise(1000, '\0');
  for (char& byte : noise) byte = static_cast<char>(random() >> 8);
  EXPECT_EQ(Compressed(compressor, noise, 996), "");
  EXPECT_EQ(Compressed(compressor, "abc", 2), "");
}

TEST(LzfTest, NothingIsWrittenBehindTheSlack) {
  LzfCompressor compressor;
  std::minstd_rand random(11);
  const std::string text = Text(random, 500, 26);
  for (size_t limit = 0; limit < 500; ++limit) {
    std::string out(limit + LzfCompressor::kSlack + 8, '\xEE');
    compressor.Compress(text, out.data(), limit);
    EXPECT_EQ(out.substr(limit + LzfCompressor::kSlack), std::string(8, '\xEE'));
  }
}

TEST(LzfTest, ReadsEveryForm) {
  EXPECT_EQ(Restored("\x02"
                     "abc"
                     "\x20\x02",
                     6),
            "abcabc");  // 3 from 3 back
  EXPECT_EQ(Restored("\x00"
                     "a"
                     "\xE0\x01\x00"s,
                     11),
            std::string(11, 'a'));  // 10 from 1 back
  EXPECT_EQ(Restored("\x01"
                     "ab"
                     "\xC0\x01"s,
                     10),
            "ababababab");  // 8 from 2 back
}

TEST(LzfTest, MalformedBytesAreRefused) {
  EXPECT_EQ(Restored("\x05"
                     "abc",
                     6),
            "malformed");  // literals missing
  EXPECT_EQ(Restored("\x02"
                     "abc",
                     2),
            "malformed");  // no room
  EXPECT_EQ(Restored("\x02"
                     "abc",
                     4),
            "malformed");  // too short
  EXPECT_EQ(Restored("\x02"
                     "abc"
                     "\x20",
                     6),
            "malformed");  // half a reference
  EXPECT_EQ(Restored("\x02"
                     "abc"
                     "\xE0\x01",
                     13),
            "malformed");
  EXPECT_EQ(Restored("\x02"
                     "abc"
                     "\x20\x03",
                     6),
            "malformed");  // from before the beginning
  EXPECT_EQ(Restored("\x20\x00"s, 3), "malformed");
}

TEST(LzfTest, CutAnywhereItIsRefused) {
  LzfCompressor compressor;
  std::minstd_rand random(13);
  const std::string text = Text(random, 900, 8);
  const std::string compressed = Compressed(compressor, text, 900);
  for (size_t cut = 0; cut < compressed.size(); ++cut) {
    EXPECT_EQ(Restored(compressed.substr(0, cut), text.size()), "malformed");
  }
}

TEST(LzfTest, AnInputNeverReachesIntoTheOneBefore) {
  LzfCompressor compressor;
  const std::string text = "the same words, the same words and more of the same words";
  const std::string first = Compressed(compressor, text, 100);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Compressed(compressor, text, 100), first);
}

}  // namespace
}  // namespace cloakroom
