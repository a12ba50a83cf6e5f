#include "replication/aof/aof_manifest.h"

#include <gtest/gtest.h>

namespace cloakroom {
namespace {

AofManifest Parsed(std::string_view text) {
  auto parsed = AofManifest::Parse(text);
  auto* manifest = std::get_if<AofManifest>(&parsed);
  EXPECT_NE(manifest, nullptr) << text;
  return manifest == nullptr ? AofManifest() : *manifest;
}

/// The error of a manifest, as "line: what is wrong".
std::string Problem(std::string_view text) {
  auto parsed = AofManifest::Parse(text);
  auto* error = std::get_if<AofManifest::ParseError>(&parsed);
  return error == nullptr ? "none" : std::to_string(error->line) + ": " + error->text;
}

constexpr char kThree[] =
    "file a.aof.2.base.rdb seq 2 type b\n"
    "file a.aof.1.base.rdb seq 1 type h\n"
    "file a.aof.3.incr.aof seq 3 type i\n"
    "file a.aof.4.incr.aof seq 4 type i\n";

TEST(AofManifestTest, PrintsWhatItParsed) {
  AofManifest manifest = Parsed(kThree);
  EXPECT_EQ(manifest.base()->name, "a.aof.2.base.rdb");
  EXPECT_EQ(manifest.history().size(), 1u);
  EXPECT_EQ(manifest.incrs().back().seq, 4);
  EXPECT_EQ(manifest.Print(), kThree);
}

TEST(AofManifestTest, OrderOfTypesInTheTextIsFree) {
  AofManifest manifest = Parsed(
      "# comment\nfile i seq 1 type i\nFILE b SEQ 1 TYPE b\r\nseq 1 type h file h future word\n");
  EXPECT_EQ(manifest.Print(), "file b seq 1 type b\nfile h seq 1 type h\nfile i seq 1 type i\n");
}

TEST(AofManifestTest, NamesWithSpacesAreQuoted) {
  AofManifest manifest;
  manifest.AddIncr(manifest.NextIncr("my \"log\"\x01"));
  EXPECT_EQ(manifest.Print(), "file \"my \\\"log\\\"\\x01.1.incr.aof\" seq 1 type i\n");
  EXPECT_EQ(Parsed(manifest.Print()).incrs()[0].name, "my \"log\"\x01.1.incr.aof");
}

TEST(AofManifestTest, ErrorsNameLineAndReason) {
  EXPECT_EQ(Problem(""), "0: Found an empty AOF manifest");
  EXPECT_EQ(Problem("file a seq 1 type b"), "1: The AOF manifest file contains too long line");
  EXPECT_EQ(Problem("file " + std::string(2000, 'a') + " seq 1 type b\n"),
            "1: The AOF manifest file contains too long line");
  EXPECT_EQ(Problem("\n"), "1: Invalid AOF manifest file format");
  EXPECT_EQ(Problem("file a seq 1 type b\nfile c seq 1\n"), "2: Invalid AOF manifest file format");
  EXPECT_EQ(Problem("file a seq 0 type b\n"), "1: Invalid AOF manifest file format");
  EXPECT_EQ(Problem("file \"a seq 1 type b\n"), "1: Invalid AOF manifest file format");
  EXPECT_EQ(Problem("file ../a seq 1 type b\n"), "1: File can't be a path, just a filename");
  EXPECT_EQ(Problem("file a seq 1 type x\n"), "1: Unknown AOF file type");
  EXPECT_EQ(Problem("file a seq 1 type b\nfile c seq 2 type b\n"),
            "2: Found duplicate base file information");
  EXPECT_EQ(Problem("file a seq 2 type i\nfile c seq 2 type i\n"),
            "2: Found a non-monotonic sequence number");
}

TEST(AofManifestTest, ARewriteMakesWhatItReplacesHistory) {
  AofManifest manifest = Parsed(kThree);
  manifest.ForgetHistory();
  manifest.AddIncr(manifest.NextIncr("a.aof"));
  manifest.ReplaceBase(manifest.NextBase("a.aof", false), 1);
  EXPECT_EQ(manifest.Print(),
            "file a.aof.3.base.aof seq 3 type b\n"
            "file a.aof.2.base.rdb seq 2 type h\n"
            "file a.aof.3.incr.aof seq 3 type h\n"
            "file a.aof.4.incr.aof seq 4 type h\n"
            "file a.aof.5.incr.aof seq 5 type i\n");
}

TEST(AofManifestTest, NumbersThatAreTakenAreSkipped) {
  AofManifest manifest;
  EXPECT_TRUE(manifest.empty());
  manifest.SkipIncrNumber(7);
  EXPECT_EQ(manifest.NextIncr("a").name, "a.8.incr.aof");
  EXPECT_EQ(manifest.NextBase("a", true).name, "a.1.base.rdb");
}

}  // namespace
}  // namespace cloakroom
