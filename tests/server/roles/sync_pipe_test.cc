#include "server/roles/sync_pipe.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>

namespace cloakroom {
namespace {

std::string ReadAll(SyncPipe& pipe) {
  std::string all;
  std::array<char, 1000> buffer;
  for (size_t n = pipe.Read(buffer); n > 0; n = pipe.Read(buffer)) all.append(buffer.data(), n);
  return all;
}

TEST(SyncPipeTest, CarriesBytesInTheirOrder) {
  SyncPipe pipe([] {});
  std::string sent;
  std::thread writer([&] {
    for (int i = 0; i < 3000; ++i) {
      const std::string piece = std::to_string(i) + std::string(static_cast<size_t>(i % 7), '.');
      pipe.Append(piece);
      sent += piece;
    }
    pipe.Finish();
  });
  const std::string received = ReadAll(pipe);
  writer.join();
  EXPECT_EQ(received, sent);
}

TEST(SyncPipeTest, TellsWhenThereIsRoomAgain) {
  int drained = 0;
  SyncPipe pipe([&] { ++drained; });
  EXPECT_EQ(pipe.room(), SyncPipe::kMostBytes);
  pipe.Append(std::string(SyncPipe::kMostBytes, 'x'));
  std::array<char, 10> buffer;
  EXPECT_EQ(pipe.Read(buffer), 10u);
  EXPECT_EQ(drained, 0) << "nobody has asked for room";
  pipe.Append(std::string(10, 'x'));
  EXPECT_EQ(pipe.room(), 0u);
  EXPECT_EQ(pipe.Read(buffer), 10u);
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(pipe.room(), 10u);
}

TEST(SyncPipeTest, GivingUpEndsReadingAndTakesWhatever) {
  SyncPipe pipe([] {});
  std::thread reader([&] { EXPECT_EQ(ReadAll(pipe), ""); });
  pipe.GiveUp();
  reader.join();
  EXPECT_TRUE(pipe.given_up());
  pipe.Append("x");
  EXPECT_EQ(ReadAll(pipe), "");
  EXPECT_GT(pipe.room(), 0u);
}

}  // namespace
}  // namespace cloakroom
