#include "server/script/script_cache.h"

#include <gtest/gtest.h>

#include "server/script/sha1.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

ScriptPtr Make(const std::string& text) { return MakeScript(text).value_or(nullptr); }

TEST(Sha1HexTest, MatchesTheStandardsExamplesAtEveryBlockBoundary) {
  EXPECT_EQ(Sha1Hex(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(Sha1Hex("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(Sha1Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(Sha1Hex(std::string(1'000'000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST(MakeScriptTest, FlagsComeFromTheFirstLine) {
  const ScriptPtr script = Make("#!lua  flags=no-writes,allow-stale flags=\"allow-oom\"\nreturn 1");
  ASSERT_NE(script, nullptr);
  EXPECT_EQ(
      script->flags,
      (ScriptFlags{.declared = true, .no_writes = true, .allow_oom = true, .allow_stale = true}));
  EXPECT_EQ(script->body(), "\nreturn 1");
  EXPECT_EQ(Make("return 1")->flags, ScriptFlags{});
}

TEST(MakeScriptTest, BadFirstLinesAreRefusedWithRedisTexts) {
  const std::pair<const char*, const char*> cases[] = {
      {"#!lua flags=bad\n", "ERR Unexpected flag in script shebang: bad"},
      {"#!lua flags=,\n", "ERR Unexpected flag in script shebang: "},
      {"#!lua flags=no-writes, x\n", "ERR Unexpected flag in script shebang: "},
      {"#!lua name=x\n", "ERR Unknown lua shebang option: name=x"},
      {"#!python\n", "ERR Unexpected engine in script shebang: #!python"},
      {"#! lua\n", "ERR Unexpected engine in script shebang: #!"},
      {"#!lua flags=no-writes", "ERR Invalid script shebang"},
      {"#!lua flags=\"no-writes\n", "ERR Invalid engine in script shebang"},
  };
  for (const auto& [text, error] : cases) {
    EXPECT_THAT(MakeScript(text), FailsWith(error));
  }
}

TEST(ScriptCacheTest, FindsByShaInAnyCaseAndByText) {
  ScriptCache cache;
  const ScriptPtr script = cache.Add(Make("return 1"), false);
  EXPECT_EQ(cache.Find("e0e1f9fabfc9d4800c877a703b823ac0578ff8db"), script);
  EXPECT_EQ(cache.Find("E0E1F9FABFC9D4800C877A703B823AC0578FF8DB"), script);
  EXPECT_EQ(cache.FindText("return 1"), script);
  EXPECT_EQ(cache.Find("e0"), nullptr);
  EXPECT_EQ(cache.FindText("return 2"), nullptr);
  EXPECT_EQ(cache.Add(Make("return 1"), false), script);
  EXPECT_EQ(cache.size(), 1u);
}

TEST(ScriptCacheTest, OnlyUnpinnedScriptsAreEvictedOldestFirst) {
  ScriptCache cache;
  const ScriptPtr loaded = cache.Add(Make("return 'loaded'"), true);
  const ScriptPtr first = cache.Add(Make("return 'first'"), false);
  const ScriptPtr second = cache.Add(Make("return 'second'"), false);
  const ScriptPtr promoted = cache.Add(Make("return 'promoted'"), false);
  cache.Add(Make("return 'promoted'"), true);
  for (std::size_t i = 0; i < ScriptCache::kMaxEvalScripts - 1; ++i) {
    EXPECT_NE(cache.Find(first->sha), nullptr);  // in use
    cache.Add(Make("return " + std::to_string(i)), false);
  }
  EXPECT_EQ(cache.Find(second->sha), nullptr);
  EXPECT_EQ(cache.FindText(second->text), nullptr);
  EXPECT_EQ(cache.Find(first->sha), first);
  EXPECT_EQ(cache.Find(loaded->sha), loaded);
  EXPECT_EQ(cache.Find(promoted->sha), promoted);
  EXPECT_EQ(cache.size(), ScriptCache::kMaxEvalScripts + 2);
  EXPECT_EQ(cache.Pinned().size(), 2u);
}

TEST(ScriptCacheTest, FlushEmptiesAndStartsAGeneration) {
  ScriptCache cache;
  cache.Add(Make("return 1"), true);
  EXPECT_GT(cache.memory_bytes(), 0u);
  const auto generation = cache.generation();
  EXPECT_EQ(cache.Flush().size(), 1u);
  EXPECT_NE(cache.generation(), generation);
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.memory_bytes(), 0u);
}

}  // namespace
}  // namespace cloakroom
