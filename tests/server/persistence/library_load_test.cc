#include "server/persistence/library_load.h"

#include <string>

#include "server/script/function_registry.h"
#include "tests/server/support/server_fixture.h"
#include "tests/support/status_matchers.h"

namespace cloakroom {
namespace {

class LibraryLoadTest : public ServerTest {
 protected:
  static std::string Source(const std::string& code) { return "#!lua name=lib\n" + code; }
  absl::Status Load(const std::string& code, bool replace = false) {
    return LoadLibrary(server_.functions(), engine_, Source(code), replace);
  }

  FunctionEngine engine_{&server_.functions()};
};

TEST_F(LibraryLoadTest, AddsTheLibraryOfAFile) {
  const std::string code = "redis.register_function('f', function() return 7 end)";
  EXPECT_OK(Load(code));
  EXPECT_EQ(Run("FCALL f 0"), ":7\r\n");
  EXPECT_EQ(Load(code).message(), "ERR Library 'lib' already exists");
  EXPECT_OK(Load(code, /*replace=*/true));
}

TEST_F(LibraryLoadTest, OneThatFailsIsNotAdded) {
  EXPECT_EQ(Load("").message(), "ERR No functions registered");
  EXPECT_EQ(server_.functions().totals().libraries, 0U);
}

TEST_F(LibraryLoadTest, AClientHasHalfASecond) {
  const FunctionEngine::LoadTerms terms = ClientLoadTerms(server_);
  EXPECT_FALSE(terms.out_of_time());
  Advance(500);
  EXPECT_FALSE(terms.out_of_time());
  Advance(1);
  EXPECT_TRUE(terms.out_of_time());
}

TEST_F(LibraryLoadTest, AFileHasAnyTime) { EXPECT_FALSE(FileLoadTerms().out_of_time); }

}  // namespace
}  // namespace cloakroom
