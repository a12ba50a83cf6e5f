#include "clients/drill/foreign_clients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cloakroom::drill {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Lines = std::vector<std::vector<ClientLine>>;

std::vector<std::string> Ids(const Lines& looks, Looks which = Looks::kAny) {
  std::vector<std::string> ids;
  for (const ClientLine& client : ForeignClients(looks, which)) ids.push_back(client.id);
  return ids;
}

TEST(ForeignClientsTest, LinesAreRead) {
  const std::vector<ClientLine> lines = ReadClientList(
      "id=3 addr=10.0.0.1:5 laddr=10.0.0.2:6379 fd=8 name= age=1 flags=N db=2 cmd=hget "
      "user=default\n"
      "id=4 addr=10.0.0.3:5 name=sentinel-1a2b-cmd flags=N cmd=ping\n\nnonsense\n");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].address, "10.0.0.1:5");
  EXPECT_EQ(lines[0].name, "");
  EXPECT_EQ(lines[0].command, "hget");
  EXPECT_EQ(lines[1].name, "sentinel-1a2b-cmd");
}

TEST(ForeignClientsTest, ReplicasPrimariesSentinelsAndTheDrillAreExpected) {
  EXPECT_THAT(Ids({{{.id = "1", .flags = "S"},
                    {.id = "2", .flags = "M"},
                    {.id = "3", .name = "sentinel-1a2b-pubsub", .flags = "P"},
                    {.id = "4", .name = "cloakroom-drill", .flags = "N"},
                    {.id = "5", .name = "shop", .flags = "N"}}}),
              ElementsAre("5"));
}

TEST(ForeignClientsTest, AVisitBetweenTwoLooksIsSeenWhileItLasts) {
  EXPECT_THAT(Ids({{}, {{.id = "7", .flags = "N"}}, {}}), ElementsAre("7"));
}

TEST(ForeignClientsTest, WhoGivesItsNameLaterIsExpected) {
  EXPECT_THAT(Ids({{{.id = "7", .flags = "N"}}, {{.id = "7", .name = "sentinel-x", .flags = "N"}}}),
              IsEmpty());
}

TEST(ForeignClientsTest, DuringVisitsOnlyThoseWhoStayCount) {
  const ClientLine unnamed = {.id = "7", .flags = "N"};
  EXPECT_THAT(Ids({{unnamed}, {}}, Looks::kLast2), IsEmpty());
  EXPECT_THAT(Ids({{}, {unnamed}}, Looks::kLast2), IsEmpty());
  EXPECT_THAT(Ids({{unnamed}, {unnamed}}, Looks::kLast2), ElementsAre("7"));
}

}  // namespace
}  // namespace cloakroom::drill
