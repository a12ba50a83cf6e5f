#include "clients/drill/act.h"

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "clients/drill/ask.h"
#include "clients/drill/graceful.h"
#include "clients/drill/shell.h"
#include "clients/request.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

class Graceful final : public Act {
 public:
  explicit Graceful(ActContext context) : context_(std::move(context)) {}
  absl::Status Begin() override { return HandOver(context_, std::nullopt); }

 private:
  const ActContext context_;
};

class BySentinel final : public Act {
 public:
  explicit BySentinel(ActContext context) : context_(std::move(context)) {}
  absl::Status Begin() override { return StartSentinelFailover(context_); }

 private:
  const ActContext context_;
};

/// In Cloakroom DEBUG SLEEP delays only the client that sent it.
absl::StatusOr<bool> SleepDelaysAll(RespClient& client) {
  const absl::StatusOr<InfoText> info = AskInfo(client, "server");
  if (!info.ok()) return info.status();
  return !info->Has("cloakroom_version");
}

class Freeze final : public Act {
 public:
  explicit Freeze(ActContext context) : context_(std::move(context)) {}

  absl::Status Begin() override {
    absl::StatusOr<RespClient> client = Open(context_.primary, context_.where.login);
    if (!client.ok()) return client.status();
    client_ = *std::move(client);
    const absl::StatusOr<bool> sleeps = SleepDelaysAll(client_);
    if (!sleeps.ok()) return sleeps.status();
    if (!*sleeps) {
      const std::string ms = std::to_string(context_.options.hold_s * 1000);
      return Ask(client_, {"CLIENT", "PAUSE", ms, "ALL"}).status();
    }
    // Its reply comes when the primary wakes up, so nobody waits for it.
    const std::string seconds = std::to_string(context_.options.hold_s);
    return client_.SendRaw(Request({"DEBUG", "SLEEP", seconds}));
  }

 private:
  const ActContext context_;
  RespClient client_;
};

/// The heal-command, which runs once after whatever began.
class Healed : public Act {
 public:
  explicit Healed(ActContext context) : context_(std::move(context)) {}

  absl::Status Begin() final {
    heals_ = !context_.options.heal_command.empty();
    return Harm();
  }
  absl::Status End() final {
    if (!std::exchange(heals_, false)) return absl::OkStatus();
    context_.say("runs the heal-command");
    return RunShell(context_.options.heal_command, context_.primary);
  }

 protected:
  const ActContext& context() const { return context_; }

 private:
  virtual absl::Status Harm() = 0;

  const ActContext context_;
  bool heals_ = false;
};

class Cut final : public Healed {
 public:
  using Healed::Healed;

 private:
  absl::Status Harm() override {
    return RunShell(context().options.cut_command, context().primary);
  }
};

class Kill final : public Healed {
 public:
  using Healed::Healed;

 private:
  absl::Status Harm() override {
    const std::string& command = context().options.kill_command;
    if (!command.empty()) return RunShell(command, context().primary);
    absl::StatusOr<RespClient> client = Open(context().primary, context().where.login);
    if (!client.ok()) return client.status();
    absl::StatusOr<ReplyValue> reply = Ask(*client, {"SHUTDOWN", "NOSAVE", "NOW", "FORCE"});
    // Before Redis 7 it has no other words.
    if (absl::IsFailedPrecondition(reply.status())) reply = Ask(*client, {"SHUTDOWN", "NOSAVE"});
    // A server that ends says nothing.
    return absl::IsUnavailable(reply.status()) ? absl::OkStatus() : reply.status();
  }
};

}  // namespace

std::unique_ptr<Act> MakeAct(const ActContext& context) {
  switch (context.options.how) {
    case How::kGraceful:
      return std::make_unique<Graceful>(context);
    case How::kSentinel:
      return std::make_unique<BySentinel>(context);
    case How::kFreeze:
      return std::make_unique<Freeze>(context);
    case How::kCut:
      return std::make_unique<Cut>(context);
    case How::kKill:
      return std::make_unique<Kill>(context);
  }
  return nullptr;
}

int64_t HoldSeconds(const RunOptions& options) {
  const bool holds = options.how == How::kFreeze || !options.heal_command.empty();
  return holds ? options.hold_s : 0;
}

absl::Status CanAct(const ActContext& context) {
  absl::StatusOr<RespClient> client = Open(context.primary, context.where.login);
  if (!client.ok()) return client.status();
  if (context.options.how == How::kFreeze) {
    const absl::StatusOr<bool> sleeps = SleepDelaysAll(*client);
    if (!sleeps.ok() || !*sleeps) return sleeps.status();
    const absl::StatusOr<ReplyValue> reply = Ask(*client, {"DEBUG", "SLEEP", "0"});
    if (reply.ok()) return absl::OkStatus();
    return absl::FailedPreconditionError(
        Concat({"the primary does not sleep: ", TextOf(reply.status()),
                "; a rehearsal by freeze needs 'enable-debug-command yes' in its configuration"}));
  }
  if (context.options.how == How::kGraceful && !context.where.has_sentinels()) {
    const absl::StatusOr<ReplyValue> reply = Ask(*client, {"COMMAND", "INFO", "FAILOVER"});
    if (reply.ok() && !reply->items.empty() && !reply->items[0].is_null()) return absl::OkStatus();
    return absl::FailedPreconditionError(
        "the primary has no FAILOVER, which came with Redis 6.2; use Sentinels");
  }
  return absl::OkStatus();
}

}  // namespace cloakroom::drill
