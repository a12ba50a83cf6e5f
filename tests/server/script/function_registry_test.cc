#include "server/script/function_registry.h"

#include <initializer_list>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

LibraryPtr Library(const std::string& name, std::initializer_list<const char*> functions) {
  auto library = *ParseLibrary("#!lua name=" + name + "\n");
  for (const char* function : functions) library->functions.push_back({.name = function});
  return library;
}

std::string Text(const absl::Status& status) { return std::string(status.message()); }

class FunctionRegistryTest : public testing::Test {
 protected:
  /// The library that has a function.
  std::string Owner(std::string_view function) {
    const auto found = registry_.Find(function);
    return found ? found->library->name : "";
  }

  FunctionRegistry registry_;
};

TEST_F(FunctionRegistryTest, FindsFunctionsInAnyCaseAndLibrariesByTheirName) {
  ASSERT_OK(registry_.Add(Library("lib", {"One", "two"}), false));
  EXPECT_EQ(registry_.Find("oNE")->function->name, "One");
  EXPECT_FALSE(registry_.Find("three"));
  EXPECT_TRUE(registry_.HasLibrary("lib"));
  EXPECT_FALSE(registry_.HasLibrary("LIB"));
  EXPECT_EQ(registry_.totals().libraries, 1U);
  EXPECT_EQ(registry_.totals().functions, 2U);
  EXPECT_GT(registry_.totals().memory_bytes, 0U);
}

TEST_F(FunctionRegistryTest, ALibraryIsReplacedOnlyOnRequest) {
  ASSERT_OK(registry_.Add(Library("lib", {"old"}), false));
  const uint64_t generation = registry_.generation();
  EXPECT_EQ(Text(registry_.Add(Library("lib", {"new"}), false)),
            "ERR Library 'lib' already exists");
  EXPECT_EQ(Owner("old"), "lib");
  EXPECT_EQ(registry_.generation(), generation);
  ASSERT_OK(registry_.Add(Library("lib", {"new"}), true));
  EXPECT_EQ(Owner("old"), "");
  EXPECT_EQ(Owner("new"), "lib");
  EXPECT_NE(registry_.generation(), generation);
}

TEST_F(FunctionRegistryTest, AFunctionBelongsToOneLibrary) {
  ASSERT_OK(registry_.Add(Library("one", {"f"}), false));
  EXPECT_EQ(Text(registry_.Add(Library("two", {"g", "F"}), true)), "ERR Function F already exists");
  EXPECT_EQ(Owner("g"), "");
  EXPECT_FALSE(registry_.HasLibrary("two"));
}

TEST_F(FunctionRegistryTest, WhoRunsAFunctionKeepsIt) {
  ASSERT_OK(registry_.Add(Library("lib", {"f"}), false));
  const auto found = registry_.Find("f");
  EXPECT_TRUE(registry_.Delete("lib"));
  EXPECT_FALSE(registry_.Delete("lib"));
  EXPECT_FALSE(registry_.Find("f"));
  EXPECT_EQ(found->function->name, "f");
}

TEST_F(FunctionRegistryTest, AllOfAPayloadAreAddedOrNone) {
  ASSERT_OK(registry_.Add(Library("one", {"f"}), false));
  const std::vector<LibraryPtr> same = {Library("two", {"g"}), Library("one", {"f"})};
  const std::vector<LibraryPtr> clash = {Library("two", {"g"}), Library("three", {"f"})};
  EXPECT_EQ(Text(registry_.AddAll(same, false)), "ERR Library one already exists");
  EXPECT_EQ(Text(registry_.CheckAll(clash, true)), "ERR Function f already exists");
  EXPECT_EQ(Text(registry_.AddAll(clash, true)), "ERR Function f already exists");
  EXPECT_EQ(Owner("g"), "");
  EXPECT_OK(registry_.CheckAll(same, true));
  EXPECT_EQ(Owner("g"), "") << "it was only asked";
  EXPECT_OK(registry_.AddAll(same, true));
  EXPECT_EQ(Owner("g"), "two");
  EXPECT_EQ(registry_.totals().libraries, 2U);
}

TEST_F(FunctionRegistryTest, FunctionsMayMoveBetweenLibrariesOfOnePayload) {
  ASSERT_OK(registry_.Add(Library("one", {"f"}), false));
  ASSERT_OK(registry_.Add(Library("two", {"g"}), false));
  EXPECT_OK(registry_.AddAll({Library("one", {"g"}), Library("two", {"f"})}, true));
  EXPECT_EQ(Owner("g"), "one");
  EXPECT_EQ(Owner("f"), "two");
}

TEST_F(FunctionRegistryTest, FlushReturnsAllInOrder) {
  ASSERT_OK(registry_.Add(Library("b", {"f"}), false));
  ASSERT_OK(registry_.Add(Library("a", {"g"}), false));
  EXPECT_EQ(registry_.Libraries().front()->name, "a");
  EXPECT_EQ(registry_.Flush().size(), 2U);
  EXPECT_EQ(registry_.totals().libraries, 0U);
  EXPECT_EQ(Owner("f"), "");
}

}  // namespace
}  // namespace cloakroom
