#include "clients/drill/visit_load.h"

#include <optional>
#include <string>
#include <utility>

#include "clients/drill/ask.h"

namespace cloakroom::drill {
namespace {

/// A connection to the primary that uses the sessions' database. Not by the fixed address: it may
/// still lead to the former primary.
absl::StatusOr<RespClient> ConnectToSessions(const VisitPlan& plan) {
  PrimaryFinder::Options options = plan.finder;
  options.at.reset();
  absl::StatusOr<RespClient> client = PrimaryFinder(std::move(options)).Connect();
  if (!client.ok()) return client;
  const std::string database = std::to_string(plan.database);
  const absl::StatusOr<ReplyValue> reply = Ask(*client, {"SELECT", database});
  if (!reply.ok()) return reply.status();
  return client;
}

/// The number of the write that the session has; nullopt when there is no session.
std::optional<uint64_t> NumberIn(const ReplyValue& reply) {
  return reply.is_null() ? std::nullopt : NumberOfData(reply.text);
}

/// What each client's session holds, in their order.
absl::StatusOr<std::vector<ReplyValue>> AskForData(const VisitPlan& plan) {
  absl::StatusOr<RespClient> primary = ConnectToSessions(plan);
  if (!primary.ok()) return primary.status();
  for (size_t client = 0; client < static_cast<size_t>(plan.clients); ++client) {
    primary->Queue({"HGET", KeyOf(plan.run, client), "data"});
  }
  return primary->Flush();
}

}  // namespace

VisitLoad::VisitLoad(const VisitPlan& plan, const std::vector<Level>& levels, Recorder& recorder) {
  for (size_t client = 0; client < static_cast<size_t>(plan.clients); ++client) {
    const Level level = levels[client % levels.size()];
    visitors_.push_back(std::make_unique<Visitor>(plan, client, level, recorder));
  }
  for (const std::unique_ptr<Visitor>& visitor : visitors_) {
    threads_.emplace_back([this, one = visitor.get()] { one->Run(stop_); });
  }
}

void VisitLoad::Stop() {
  stop_.Raise();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

absl::StatusOr<std::vector<Level>> LevelsOf(const Address& primary, const Credentials& login) {
  absl::StatusOr<RespClient> client = Open(primary, login);
  if (!client.ok()) return client.status();
  std::vector<Level> levels = {Level::kPlain, Level::kWait};
  const absl::StatusOr<ReplyValue> reply = Ask(*client, {"WAITAOF", "1", "0", "1"});
  if (absl::IsUnavailable(reply.status())) return reply.status();
  if (reply.ok()) levels.push_back(Level::kWaitAof);
  return levels;
}

absl::Status ReadBack(const VisitPlan& plan, Recorder& recorder) {
  const absl::StatusOr<std::vector<ReplyValue>> replies = AskForData(plan);
  for (size_t client = 0; client < static_cast<size_t>(plan.clients); ++client) {
    if (replies.ok() && !(*replies)[client].is_error())
      recorder.Observe(client, NumberIn((*replies)[client]));
    else
      recorder.NoteUnread(client);
  }
  return replies.status();
}

absl::Status RemoveKeys(const VisitPlan& plan) {
  absl::StatusOr<RespClient> primary = ConnectToSessions(plan);
  if (!primary.ok()) return primary.status();
  for (size_t client = 0; client < static_cast<size_t>(plan.clients); ++client) {
    primary->Queue({"UNLINK", KeyOf(plan.run, client)});
  }
  const absl::StatusOr<std::vector<ReplyValue>> replies = primary->Flush();
  if (!replies.ok()) return replies.status();
  for (const ReplyValue& reply : *replies) {
    if (reply.is_error()) return absl::FailedPreconditionError(reply.text);
  }
  return absl::OkStatus();
}

}  // namespace cloakroom::drill
