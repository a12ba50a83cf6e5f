#include "clients/drill/visitor.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/drill/ask.h"
#include "clients/drill/error_code.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

using Clock = std::chrono::steady_clock;
using Replies = std::vector<ReplyValue>;

/// Sends a step and reads its replies, of which none may be an error.
absl::StatusOr<Replies> Take(RespClient& client, const Step& step) {
  if (!client.SendRaw(step.bytes)) return absl::UnavailableError(client.error());
  Replies replies;
  while (replies.size() < step.replies) {
    std::optional<ReplyValue> reply = client.Read();
    if (!reply) return absl::UnavailableError(client.error());
    if (reply->is_error()) return absl::FailedPreconditionError(reply->text);
    replies.push_back(*std::move(reply));
  }
  return replies;
}

/// WAIT replies a number, WAITAOF one for the primary's disk and one for the replicas'.
bool IsReached(const ReplyValue& reply) {
  if (reply.kind == ReplyValue::Kind::kInteger) return reply.integer >= 1;
  return reply.items.size() == 2 && reply.items[0].integer >= 1 && reply.items[1].integer >= 1;
}

}  // namespace

std::string KeyOf(const std::string& run, size_t client) {
  return Concat({"drill:", run, ":", std::to_string(client)});
}

Visitor::Visitor(const VisitPlan& plan, size_t client, Level level, Recorder& recorder)
    : plan_(plan),
      client_(client),
      level_(level),
      recorder_(recorder),
      finder_(plan.finder),
      session_{.key = KeyOf(plan.run, client),
               .database = plan.database,
               .pid = Concat({"drill|", std::to_string(client)}),
               .request = "GET drill.example/checkout/cart/",
               .lifetime_s = kKeyLifetimeS} {}

void Visitor::Run(const Signal& stop) {
  const auto pause = std::chrono::nanoseconds(1'000'000'000 / plan_.rate);
  // Spread evenly, so that the clients do not all come in the same moment.
  Clock::time_point due = Clock::now() + pause * static_cast<int64_t>(client_) / plan_.clients;
  while (!stop.WaitUntil(due)) {
    const absl::Status status = VisitOnce();
    if (status.ok())
      recorder_.Success(client_);
    else
      recorder_.Error(CodeOf(status));
    // A shopper who had to wait does not click faster afterwards.
    due = std::max(due + pause, Clock::now());
  }
}

absl::Status Visitor::VisitOnce() {
  absl::StatusOr<RespClient> client = finder_.Connect();
  if (!client.ok()) return client.status();
  if (absl::Status status = Read(*client); !status.ok()) return status;
  if (absl::Status status = Write(*client); !status.ok()) return status;
  Acknowledge(*client);
  return absl::OkStatus();
}

absl::Status Visitor::Read(RespClient& client) {
  const Visit visit = SessionRead(session_);
  for (size_t step = 0; step < visit.size(); ++step) {
    const absl::StatusOr<Replies> replies = Take(client, visit[step]);
    if (!replies.ok()) return replies.status();
    // A lock that is taken is the client's own, from a visit that broke off: nobody else has this
    // session. The third step shows the data.
    if (step != 2) continue;
    const std::vector<ReplyValue>& fields = replies->front().items;
    recorder_.Observe(client_, fields.empty() ? std::nullopt : NumberOfData(fields[0].text));
  }
  return absl::OkStatus();
}

absl::Status Visitor::Write(RespClient& client) {
  for (const Step& step : SessionWrite(session_, SessionData(++number_))) {
    const absl::StatusOr<Replies> replies = Take(client, step);
    if (!replies.ok()) return replies.status();
  }
  return absl::OkStatus();
}

void Visitor::Acknowledge(RespClient& client) {
  Level reached = Level::kPlain;
  if (level_ != Level::kPlain) {
    const std::string wait_ms = std::to_string(kWaitMs);
    const absl::StatusOr<ReplyValue> reply = level_ == Level::kWait
                                                 ? Ask(client, {"WAIT", "1", wait_ms})
                                                 : Ask(client, {"WAITAOF", "1", "1", wait_ms});
    const std::string name(ToText(level_));
    if (!reply.ok())
      recorder_.Error(Concat({name, ": ", CodeOf(reply.status())}));
    else if (IsReached(*reply))
      reached = level_;
    else
      recorder_.Error(Concat({name, ": not reached"}));
  }
  recorder_.Acknowledge(client_, number_, reached);
}

}  // namespace cloakroom::drill
