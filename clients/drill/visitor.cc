#include "clients/drill/visitor.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/drill/ask.h"
#include "clients/drill/error_code.h"
#include "clients/request.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

using Clock = std::chrono::steady_clock;
using Replies = std::vector<ReplyValue>;

/// Sends a step and reads its replies, of which none may be an error.
absl::StatusOr<Replies> Take(RespClient& client, const VisitStep& step) {
  if (absl::Status sent = client.SendRaw(step.bytes); !sent.ok()) return sent;
  Replies replies;
  while (replies.size() < step.replies) {
    absl::StatusOr<ReplyValue> reply = client.Read();
    if (!reply.ok()) return reply.status();
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

int64_t MillisecondsUntil(Clock::time_point time) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(time - Clock::now());
  return std::max<int64_t>(left.count(), 0);
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
    TakeReplies(Patience::kNone);
    // A shopper who had to wait does not click faster afterwards.
    due = std::max(due + pause, Clock::now());
  }
  TakeReplies(Patience::kUntilTimeout);
}

absl::Status Visitor::VisitOnce() {
  absl::StatusOr<RespClient> client = finder_.Connect();
  if (!client.ok()) return client.status();
  if (absl::Status status = Read(*client); !status.ok()) return status;
  if (absl::Status status = Write(*client); !status.ok()) return status;
  recorder_.Acknowledge(client_, number_);
  if (level_ != Level::kPlain) AskForLevel(*std::move(client));
  return absl::OkStatus();
}

absl::Status Visitor::Read(RespClient& client) {
  const std::vector<VisitStep> visit = SessionRead(session_);
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
  for (const VisitStep& step : SessionWrite(session_, SessionData(++number_))) {
    const absl::StatusOr<Replies> replies = Take(client, step);
    if (!replies.ok()) return replies.status();
  }
  return absl::OkStatus();
}

void Visitor::AskForLevel(RespClient client) {
  const int64_t wait_ms = level_ == Level::kWait ? kWaitMs : kWaitAofMs;
  const std::string text = std::to_string(wait_ms);
  const std::string request =
      level_ == Level::kWait ? Request({"WAIT", "1", text}) : Request({"WAITAOF", "1", "1", text});
  if (absl::Status sent = client.SendRaw(request); !sent.ok()) {
    return recorder_.Error(Concat({ToText(level_), ": ", CodeOf(sent)}));
  }
  const auto limit = std::chrono::milliseconds(wait_ms + plan_.finder.timeout_ms);
  waiting_.push_back({std::move(client), number_, Clock::now() + limit});
}

void Visitor::TakeReplies(Patience patience) {
  for (size_t left = waiting_.size(); left > 0; --left) {
    Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    const int64_t left_ms = MillisecondsUntil(waiting.until);
    const int wait_ms = patience == Patience::kNone ? 0 : static_cast<int>(left_ms);
    pollfd readable = {waiting.client.socket(), POLLIN, 0};
    const bool is_over = !waiting.client.connected() || left_ms == 0;
    if (is_over || poll(&readable, 1, wait_ms) > 0 || patience == Patience::kUntilTimeout)
      TakeReply(waiting);
    else
      waiting_.push_back(std::move(waiting));
  }
}

void Visitor::TakeReply(Waiting& waiting) {
  waiting.client.set_timeout_ms(std::max<int64_t>(MillisecondsUntil(waiting.until), 1));
  const absl::StatusOr<ReplyValue> reply = waiting.client.Read();
  const std::string name(ToText(level_));
  if (!reply.ok())
    recorder_.Error(Concat({name, ": ", CodeOf(reply.status())}));
  else if (reply->is_error())
    recorder_.Error(Concat({name, ": ", CodeOf(absl::FailedPreconditionError(reply->text))}));
  else if (IsReached(*reply))
    recorder_.Raise(client_, waiting.number, level_);
  else
    recorder_.Error(Concat({name, ": not reached"}));
}

}  // namespace cloakroom::drill
