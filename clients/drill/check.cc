#include "clients/drill/check.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <thread>

#include "absl/strings/str_format.h"
#include "clients/drill/amounts.h"
#include "clients/drill/ask.h"
#include "clients/drill/json.h"
#include "clients/drill/survey.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

constexpr int kUnknown = 3;

int64_t CountOf(std::span<const Finding> findings, Verdict verdict) {
  return std::count_if(findings.begin(), findings.end(),
                       [&](const Finding& finding) { return finding.verdict == verdict; });
}

void WriteServer(const Server& server, JsonWriter& json) {
  json.OpenObject().Name("address").Text(ToText(server.address));
  if (!server.answers()) {
    json.Name("error").Text(server.error).CloseObject();
    return;
  }
  json.Name("product").Text(server.product).Name("version").Text(server.version);
  json.Name("role").Text(server.is_primary ? "primary" : "replica");
  json.Name("run_id").Text(server.run_id).Name("replication_id").Text(server.replication_id);
  json.Name("offset").Number(server.offset);
  if (server.is_primary) {
    json.Name("backlog_bytes").Number(server.backlog_bytes);
  } else {
    json.Name("link_up").Bool(server.link_up).Name("priority").Number(server.priority);
  }
  json.CloseObject();
}

}  // namespace

std::string FindingsText(std::span<const Finding> findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += absl::StrFormat("%-8s %-12s %s\n", std::string(ToText(finding.verdict)), finding.about,
                            finding.text);
    if (!finding.advice.empty()) text += absl::StrFormat("%22s-> %s\n", "", finding.advice);
  }
  const int64_t warnings = CountOf(findings, Verdict::kWarning);
  text += Concat({std::to_string(CountOf(findings, Verdict::kOk)), " ok, ",
                  CountText(warnings, "warning"), ", ",
                  std::to_string(CountOf(findings, Verdict::kFailed)), " failed\n"});
  return text;
}

std::string FindingsJson(const Where& where, const Topology& topology,
                         std::span<const Finding> findings) {
  JsonWriter json;
  json.OpenObject().Name("result").Text(ToText(Worst(findings)));
  json.Name("name").Text(where.name());
  json.Name("write_bytes_per_s").Number(topology.write_bytes_per_s);
  constexpr double kUnmeasured = std::numeric_limits<double>::quiet_NaN();
  json.Name("away_s").Number(AwaySeconds(topology).value_or(kUnmeasured));
  json.Name("servers").OpenArray();
  WriteServer(topology.primary, json);
  for (const Server& replica : topology.replicas) WriteServer(replica, json);
  json.CloseArray().Name("findings").OpenArray();
  for (const Finding& finding : findings) {
    json.OpenObject().Name("verdict").Text(ToText(finding.verdict));
    json.Name("about").Text(finding.about).Name("text").Text(finding.text);
    if (!finding.advice.empty()) json.Name("advice").Text(finding.advice);
    json.CloseObject();
  }
  json.CloseArray().CloseObject();
  return json.text() + "\n";
}

int Check(const Where& where, const CheckOptions& options) {
  const absl::StatusOr<Topology> topology =
      Survey(where, [&] { std::this_thread::sleep_for(std::chrono::seconds(options.seconds)); });
  if (!topology.ok()) {
    std::fprintf(stderr, "cloakroom-drill: %s\n", TextOf(topology.status()).c_str());
    return kUnknown;
  }
  const std::vector<Finding> findings = Judge(*topology, {.away_s = options.away_s});
  const std::string text =
      options.json ? FindingsJson(where, *topology, findings) : FindingsText(findings);
  std::fputs(text.c_str(), stdout);
  return static_cast<int>(Worst(findings));
}

}  // namespace cloakroom::drill
