#include "clients/drill/report.h"

#include "absl/strings/str_format.h"
#include "clients/drill/amounts.h"
#include "clients/drill/json.h"
#include "protocol/text.h"
#include "protocol/version.h"

namespace cloakroom::drill {
namespace {

constexpr int64_t kErrorIntervalMs = 1000;

double Seconds(int64_t ms) { return static_cast<double>(ms) / 1000; }

std::string LevelsText(const Ledger::Totals& totals) {
  std::string text;
  for (size_t i = 0; i < kLevels; ++i) {
    if (totals.acknowledged[i] == 0) continue;
    text += absl::StrFormat("%s%s %d, lost %d", text.empty() ? "" : "; ",
                            std::string(ToText(static_cast<Level>(i))), totals.acknowledged[i],
                            totals.lost[i]);
  }
  return text.empty() ? "nothing" : text;
}

std::string ErrorsText(const Records& records) {
  std::string text;
  for (const auto& [code, times] : records.errors_ms) {
    text += Concat({text.empty() ? "" : ", ", code, " ", std::to_string(times.size())});
  }
  return text.empty() ? "none" : text;
}

std::string PrimaryText(const Report& report) {
  const std::string first = ToText(report.servers.front());
  if (!report.next_primary) return Concat({first, ", then none"});
  if (*report.next_primary == report.servers.front()) return Concat({first, ", as before"});
  std::string text = Concat({first, ", then ", ToText(*report.next_primary)});
  if (report.switched_ms) {
    text += Concat({", after ", SecondsText(Seconds(*report.switched_ms - report.act_ms))});
  }
  return text;
}

void WriteOutages(const Report& report, JsonWriter& json) {
  const OutageFigures figures = FiguresOf(report.outages);
  json.Name("outage").OpenObject();
  json.Name("p50_s").Number(Seconds(figures.p50_ms));
  json.Name("p95_s").Number(Seconds(figures.p95_ms));
  json.Name("max_s").Number(Seconds(figures.max_ms));
  json.Name("clients_back").Number(figures.back).CloseObject();
  json.Name("clients").OpenArray();
  for (size_t i = 0; i < report.outages.size(); ++i) {
    const Outage& outage = report.outages[i];
    json.OpenObject().Name("level").Text(ToText(report.levels[i % report.levels.size()]));
    json.Name("last_success_s").Number(Seconds(outage.from_ms));
    json.Name("first_success_s").Number(Seconds(outage.to_ms));
    json.Name("outage_s").Number(Seconds(outage.ms())).Name("back").Bool(outage.back);
    json.CloseObject();
  }
  json.CloseArray();
}

void WriteLosses(const Ledger::Totals& totals, JsonWriter& json) {
  json.Name("writes").OpenObject();
  for (size_t i = 0; i < kLevels; ++i) {
    json.Name(ToText(static_cast<Level>(i))).OpenObject();
    json.Name("acknowledged").Number(totals.acknowledged[i]);
    json.Name("lost").Number(totals.lost[i]).CloseObject();
  }
  json.CloseObject().Name("sessions").OpenObject();
  json.Name("written").Number(totals.sessions).Name("lost").Number(totals.sessions_lost);
  json.Name("older_than_acknowledged").Number(totals.sessions_older);
  json.Name("not_read_at_the_end").Number(totals.sessions_unread).CloseObject();
}

void WriteErrors(const Report& report, JsonWriter& json) {
  json.Name("errors").OpenObject();
  for (const auto& [code, times] : report.records.errors_ms) {
    json.Name(code).OpenObject().Name("count").Number(static_cast<int64_t>(times.size()));
    json.Name("per_second").OpenArray();
    for (const int64_t count : CountByInterval(times, kErrorIntervalMs, report.end_ms)) {
      json.Number(count);
    }
    json.CloseArray().CloseObject();
  }
  json.CloseObject();
}

std::string_view ToText(Sample::Role role) {
  switch (role) {
    case Sample::Role::kNoAnswer:
      return "no answer";
    case Sample::Role::kPrimary:
      return "primary";
    case Sample::Role::kReplica:
      return "replica";
  }
  return "";
}

void WriteTimeLine(const Report& report, JsonWriter& json) {
  json.Name("events").OpenArray();
  for (const Event& event : report.records.events) {
    json.OpenObject().Name("at_s").Number(Seconds(event.at_ms));
    json.Name("source").Text(event.source).Name("text").Text(event.text).CloseObject();
  }
  json.CloseArray().Name("samples").OpenArray();
  for (const Sample& sample : report.records.samples) {
    json.OpenObject().Name("at_s").Number(Seconds(sample.at_ms));
    json.Name("server").Text(ToText(report.servers[sample.server]));
    json.Name("role").Text(ToText(sample.role));
    if (sample.role != Sample::Role::kNoAnswer) json.Name("offset").Number(sample.offset);
    if (sample.role == Sample::Role::kReplica) json.Name("link_up").Bool(sample.link_up);
    json.CloseObject();
  }
  json.CloseArray();
}

void WriteTexts(std::string_view name, const std::vector<std::string>& texts, JsonWriter& json) {
  json.Name(name).OpenArray();
  for (const std::string& text : texts) json.Text(text);
  json.CloseArray();
}

}  // namespace

OutageFigures FiguresOf(const std::vector<Outage>& outages) {
  OutageFigures figures;
  std::vector<int64_t> times_ms;
  for (const Outage& outage : outages) {
    times_ms.push_back(outage.ms());
    figures.back += outage.back ? 1 : 0;
  }
  figures.p50_ms = Percentile(times_ms, 0.5);
  figures.p95_ms = Percentile(times_ms, 0.95);
  figures.max_ms = Percentile(times_ms, 1);
  return figures;
}

bool Passed(const Report& report) {
  const Ledger::Totals& totals = report.totals;
  return report.happened &&
         FiguresOf(report.outages).back == static_cast<int64_t>(report.outages.size()) &&
         totals.sessions_unread == 0 && totals.lost[static_cast<size_t>(Level::kWait)] == 0 &&
         totals.lost[static_cast<size_t>(Level::kWaitAof)] == 0;
}

std::string SummaryText(const Report& report) {
  const OutageFigures figures = FiguresOf(report.outages);
  const Ledger::Totals& totals = report.totals;
  std::string text =
      absl::StrFormat("outage     p50 %s, p95 %s, max %s; %d of %d clients came back\n",
                      SecondsText(Seconds(figures.p50_ms)), SecondsText(Seconds(figures.p95_ms)),
                      SecondsText(Seconds(figures.max_ms)), figures.back, report.outages.size());
  text += absl::StrFormat("writes     %s\n", LevelsText(totals));
  text += absl::StrFormat("sessions   %d written, %d lost, %d older than acknowledged, %d unread\n",
                          totals.sessions, totals.sessions_lost, totals.sessions_older,
                          totals.sessions_unread);
  text += absl::StrFormat("errors     %s\n", ErrorsText(report.records));
  text += absl::StrFormat("primary    %s\n", PrimaryText(report));
  for (const std::string& line : report.state) text += absl::StrFormat("now        %s\n", line);
  for (const std::string& note : report.notes) text += absl::StrFormat("note       %s\n", note);
  return text;
}

std::string ReportJson(const Report& report) {
  JsonWriter json;
  json.OpenObject().Name("program").Text(Concat({"cloakroom-drill ", kCloakroomVersion}));
  json.Name("run").Text(report.run).Name("name").Text(report.name);
  json.Name("how").Text(ToText(report.how)).Name("passed").Bool(Passed(report));
  json.Name("started_unix_s").Number(report.started_s);
  json.Name("visits_per_client_and_second").Number(report.rate);
  json.Name("primary_found_by").Text(report.found_by);
  json.Name("act_s").Number(Seconds(report.act_ms)).Name("end_s").Number(Seconds(report.end_ms));
  json.Name("first_primary").Text(ToText(report.servers.front()));
  if (report.next_primary) json.Name("next_primary").Text(ToText(*report.next_primary));
  json.Name("happened").Bool(report.happened);
  if (report.switched_ms) json.Name("switched_s").Number(Seconds(*report.switched_ms));
  WriteOutages(report, json);
  WriteLosses(report.totals, json);
  WriteErrors(report, json);
  WriteTexts("notes", report.notes, json);
  WriteTexts("state", report.state, json);
  WriteTimeLine(report, json);
  json.CloseObject();
  return json.text() + "\n";
}

}  // namespace cloakroom::drill
