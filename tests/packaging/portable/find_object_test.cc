// Our function is linked in and hides glibc's from this binary; dlsym still finds glibc's by name.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace {

using FindObject = int (*)(void* address, dl_find_object* result);

FindObject Glibcs() { return reinterpret_cast<FindObject>(dlsym(RTLD_NEXT, "_dl_find_object")); }

void ExpectSameAsGlibc(void* address) {
  dl_find_object ours{};
  dl_find_object theirs{};
  ASSERT_NE(Glibcs(), nullptr);
  ASSERT_EQ(_dl_find_object(address, &ours), 0);
  ASSERT_EQ(Glibcs()(address, &theirs), 0);
  EXPECT_EQ(ours.dlfo_eh_frame, theirs.dlfo_eh_frame);
  EXPECT_LE(ours.dlfo_map_start, address);
  EXPECT_GT(ours.dlfo_map_end, address);
}

TEST(FindObject, IsNotGlibcs) {
  EXPECT_NE(reinterpret_cast<void*>(&_dl_find_object), reinterpret_cast<void*>(Glibcs()));
}

TEST(FindObject, AgreesWithGlibcOnThisProgramAndOnLibraries) {
  ExpectSameAsGlibc(reinterpret_cast<void*>(&ExpectSameAsGlibc));
  ExpectSameAsGlibc(reinterpret_cast<void*>(&std::atoi));
  ExpectSameAsGlibc(dlsym(RTLD_DEFAULT, "__cxa_throw"));
}

TEST(FindObject, KnowsNothingOfTheHeapAndOfNull) {
  dl_find_object found{};
  std::string text(1000, 'x');
  EXPECT_EQ(_dl_find_object(text.data(), &found), -1);
  EXPECT_EQ(_dl_find_object(nullptr, &found), -1);
}

}  // namespace
