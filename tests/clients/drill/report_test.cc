#include "clients/drill/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "clients/drill/chart.h"

namespace cloakroom::drill {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

Report Example() {
  Report report;
  report.run = "r";
  report.name = "shop <1>";
  report.how = How::kKill;
  report.rate = 5;
  report.levels = {Level::kPlain, Level::kWait};
  report.servers = {{"10.0.0.1", 6379}, {"10.0.0.2", 6379}};
  report.act_ms = 1000;
  report.end_ms = 9000;
  report.next_primary = report.servers[1];
  report.switched_ms = 3500;
  report.happened = true;
  report.outages = {{900, 3600, true}, {950, 4000, true}};
  report.records = Records(2);
  report.records.errors_ms["READONLY"] = {1200, 1300, 2100};
  report.records.events = {{2000, "sentinel 10.0.0.3:26379", "+odown master shop"}};
  report.records.samples = {
      {.at_ms = 0, .server = 0, .role = Sample::Role::kPrimary, .offset = 100},
      {.at_ms = 1, .server = 1, .role = Sample::Role::kReplica, .offset = 60, .link_up = true},
      {.at_ms = 1100, .server = 0}};
  Ledger& ledger = report.records.ledger;
  ledger.Acknowledge(0, 1, 1);
  ledger.Acknowledge(1, 1, 1);
  ledger.Raise(1, 1, Level::kWait, 1);
  report.totals = ledger.Sum();
  return report;
}

TEST(ReportTest, FiguresAreThoseOfAllClients) {
  const OutageFigures figures = FiguresOf(Example().outages);
  EXPECT_EQ(figures.p50_ms, 2700);
  EXPECT_EQ(figures.max_ms, 3050);
  EXPECT_EQ(figures.back, 2);
  EXPECT_EQ(FiguresOf({}).max_ms, 0);
}

TEST(ReportTest, PlainLossesAreNoFailure) {
  Report report = Example();
  report.totals.lost[static_cast<size_t>(Level::kPlain)] = 1;
  EXPECT_TRUE(Passed(report));
}

TEST(ReportTest, EachOfTheseIsAFailure) {
  Report lost = Example();
  lost.totals.lost[static_cast<size_t>(Level::kWait)] = 1;
  Report lost_on_disk = Example();
  lost_on_disk.totals.lost[static_cast<size_t>(Level::kWaitAof)] = 1;
  Report unread = Example();
  unread.totals.sessions_unread = 1;
  Report out = Example();
  out.outages[1].back = false;
  Report nothing = Example();
  nothing.happened = false;
  for (const Report& report : {lost, lost_on_disk, unread, out, nothing}) {
    EXPECT_FALSE(Passed(report));
  }
}

TEST(ReportTest, SummaryIsForAPerson) {
  Report report = Example();
  report.notes = {"a note"};
  report.state = {"10.0.0.2:6379 is a primary"};
  EXPECT_EQ(SummaryText(report),
            "outage     p50 2.70 s, p95 3.05 s, max 3.05 s; 2 of 2 clients came back\n"
            "writes     plain 1, lost 0; WAIT 1 1, lost 0\n"
            "sessions   2 written, 0 lost, 0 older than acknowledged, 0 unread\n"
            "errors     READONLY 3\n"
            "primary    10.0.0.1:6379, then 10.0.0.2:6379, after 2.50 s\n"
            "now        10.0.0.2:6379 is a primary\n"
            "note       a note\n");
}

TEST(ReportTest, SummarySaysWhenNobodyIsPrimary) {
  Report report = Example();
  report.next_primary.reset();
  EXPECT_THAT(SummaryText(report), HasSubstr("10.0.0.1:6379, then none\n"));
  report.next_primary = report.servers[0];
  EXPECT_THAT(SummaryText(report), HasSubstr("10.0.0.1:6379, as before\n"));
}

TEST(ReportTest, JsonHasAllFigures) {
  const std::string json = ReportJson(Example());
  EXPECT_THAT(json, HasSubstr(R"("passed":true)"));
  EXPECT_THAT(json,
              HasSubstr(R"("outage":{"p50_s":2.7,"p95_s":3.05,"max_s":3.05,"clients_back":2})"));
  EXPECT_THAT(json, HasSubstr(R"("WAIT 1":{"acknowledged":1,"lost":0})"));
  EXPECT_THAT(json, HasSubstr(R"("READONLY":{"count":3,"per_second":[0,2,1,0,0,0,0,0,0,0]})"));
  EXPECT_THAT(json, HasSubstr(R"({"at_s":1.1,"server":"10.0.0.1:6379","role":"no answer"})"));
  EXPECT_THAT(json, HasSubstr(R"("next_primary":"10.0.0.2:6379")"));
}

TEST(ReportTest, HtmlIsOnePageWithoutLinks) {
  const std::string page = ReportHtml(Example());
  EXPECT_THAT(page, EndsWith("</body></html>\n"));
  EXPECT_THAT(page, HasSubstr("shop &lt;1&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<1>")));
  EXPECT_THAT(page, HasSubstr("<svg "));
  for (const char* link : {"src=", "href=", "url(", "@import"}) {
    EXPECT_THAT(page, Not(HasSubstr(link)));
  }
}

}  // namespace
}  // namespace cloakroom::drill
