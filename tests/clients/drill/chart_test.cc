#include "clients/drill/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cloakroom::drill {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

size_t CountOf(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

Report Example(size_t clients) {
  Report report;
  report.servers = {{"a", 1}};
  report.levels = {Level::kPlain};
  report.how = How::kFreeze;
  report.act_ms = 1000;
  report.end_ms = 10'000;
  report.records = Records(clients);
  report.outages.assign(clients, {1000, 2000, true});
  return report;
}

TEST(ChartTest, HasABarForEachClient) {
  const std::string svg = ChartSvg(Example(7));
  EXPECT_EQ(CountOf(svg, "<title>client "), 14u);  // the run, and the outage in it
  EXPECT_THAT(svg, HasSubstr("client 6: 1.00 s"));
}

TEST(ChartTest, ARoleIsOneStripUntilItChanges) {
  Report report = Example(1);
  for (int64_t at_ms = 0; at_ms < 10'000; at_ms += 100) {
    const auto role = at_ms < 5000 ? Sample::Role::kPrimary : Sample::Role::kNoAnswer;
    report.records.samples.push_back({.at_ms = at_ms, .server = 0, .role = role});
  }
  EXPECT_EQ(CountOf(ChartSvg(report), "<title>a:1</title></rect>"), 2u);
}

TEST(ChartTest, MarksAreTheActAndTheFirstSentinelThatSaysAThing) {
  Report report = Example(1);
  report.records.events = {{3000, "sentinel 1", "+switch-master shop a 1 b 2"},
                           {3500, "sentinel 2", "+switch-master shop a 1 b 2"},
                           {3600, "sentinel 2", "+sdown slave b:2"}};
  const std::string svg = ChartSvg(report);
  EXPECT_THAT(svg, HasSubstr("freeze 1.0 s"));
  EXPECT_THAT(svg, HasSubstr("+switch-master 3.0 s"));
  EXPECT_THAT(svg, Not(HasSubstr("3.5 s")));
  EXPECT_THAT(svg, Not(HasSubstr("+sdown")));
}

TEST(ChartTest, AnEmptyRunIsAPictureToo) {
  Report report = Example(0);
  report.end_ms = 0;
  EXPECT_THAT(ChartSvg(report), HasSubstr("</svg>"));
}

TEST(ChartTest, TextIsEscaped) { EXPECT_EQ(Escape("<a&\"b\">"), "&lt;a&amp;&quot;b&quot;&gt;"); }

}  // namespace
}  // namespace cloakroom::drill
