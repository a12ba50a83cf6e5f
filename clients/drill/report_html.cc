#include <ctime>

#include "absl/strings/str_format.h"
#include "clients/drill/amounts.h"
#include "clients/drill/chart.h"
#include "clients/drill/report.h"
#include "protocol/text.h"
#include "protocol/version.h"

namespace cloakroom::drill {
namespace {

constexpr char kHead[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<style>\n"
    "body { font: 15px sans-serif; max-width: 1040px; margin: 2em auto; padding: 0 1em;"
    " color: #222; background: #fff }\n"
    "table { border-collapse: collapse } td, th { padding: .2em .9em .2em 0; text-align: left;"
    " vertical-align: top }\n"
    ".passed { color: #3b7d3b } .failed { color: #c8372d } small { color: #666 }\n"
    "</style>\n";

std::string Row(std::initializer_list<std::string> cells, const char* cell = "td") {
  std::string row = "<tr>";
  for (const std::string& text : cells)
    row += Concat({"<", cell, ">", Escape(text), "</", cell, ">"});
  return row + "</tr>\n";
}

std::string TimeText(int64_t unix_s) {
  const time_t time = unix_s;
  tm parts = {};
  gmtime_r(&time, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

std::string Figures(const Report& report) {
  const auto seconds = [](int64_t ms) { return SecondsText(static_cast<double>(ms) / 1000); };
  const OutageFigures figures = FiguresOf(report.outages);
  std::string table = "<h2>Outage of a client</h2>\n<table>\n";
  table += Row({"half of them", "95 of 100", "the longest", "came back"}, "th");
  table += Row({seconds(figures.p50_ms), seconds(figures.p95_ms), seconds(figures.max_ms),
                absl::StrFormat("%d of %d", figures.back, report.outages.size())});
  return table + absl::StrFormat(
                     "</table>\n<p><small>From a client's last success to its first one after, "
                     "with the pause of up to %d ms between two visits.</small></p>\n",
                     1000 / std::max<int64_t>(report.rate, 1));
}

std::string Losses(const Ledger::Totals& totals) {
  std::string table = "<h2>Acknowledged writes</h2>\n<table>\n";
  table += Row({"acknowledged by", "writes", "lost"}, "th");
  for (size_t i = 0; i < kLevels; ++i) {
    table += Row({std::string(ToText(static_cast<Level>(i))),
                  std::to_string(totals.acknowledged[i]), std::to_string(totals.lost[i])});
  }
  return table + absl::StrFormat(
                     "</table>\n<p>%s: %d lost, %d older than acknowledged, %d could not be read "
                     "at the end.</p>\n",
                     CountText(totals.sessions, "session"), totals.sessions_lost,
                     totals.sessions_older, totals.sessions_unread);
}

std::string Lists(const Report& report) {
  std::string text = "<h2>At the end</h2>\n<ul>\n";
  for (const std::string& line : report.state) text += Concat({"<li>", Escape(line), "</li>\n"});
  for (const std::string& note : report.notes) text += Concat({"<li>", Escape(note), "</li>\n"});
  text += "</ul>\n<h2>What happened</h2>\n<table>\n" + Row({"s", "by", "what"}, "th");
  for (const Event& event : report.records.events) {
    text += Row({absl::StrFormat("%.1f", static_cast<double>(event.at_ms) / 1000), event.source,
                 event.text});
  }
  return text + "</table>\n";
}

}  // namespace

std::string ReportHtml(const Report& report) {
  const bool passed = Passed(report);
  std::string page = kHead;
  page += Concat({"<title>Drill ", Escape(report.run), "</title></head><body>\n<h1>Drill: ",
                  ToText(report.how), " of ", Escape(report.name), "</h1>\n"});
  page += Concat({"<p class=\"", passed ? "passed" : "failed", "\">",
                  passed ? "All clients came back, and nothing that WAIT or WAITAOF acknowledged "
                           "was lost."
                         : "Not passed: see the figures and the notes.",
                  "</p>\n"});
  page += Concat({"<p><small>Run ", Escape(report.run), ", ", TimeText(report.started_s),
                  ", cloakroom-drill ", kCloakroomVersion, ". ",
                  CountText(static_cast<int64_t>(report.outages.size()), "client"), ", ",
                  std::to_string(report.rate), " visits a second each, which found the primary by ",
                  Escape(report.found_by), ".</small></p>\n"});
  page += ChartSvg(report);
  page +=
      "<p><small>Blue: primary, light blue: replica, grey: no answer. Red bars: a client's "
      "outage.</small></p>\n";
  page += Figures(report) + Losses(report.totals) + Lists(report);
  return page + "</body></html>\n";
}

}  // namespace cloakroom::drill
