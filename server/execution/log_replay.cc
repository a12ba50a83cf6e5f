#include "server/execution/log_replay.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "protocol/reply_writer.h"
#include "protocol/text.h"
#include "server/session/client_registry.h"
#include "storage/base/clock.h"

namespace cloakroom {
namespace {

/// Commands whose expiry counts from now. Only old and hand-made logs have them.
constexpr std::array<std::string_view, 11> kRelative = {"expire", "pexpire", "setex",    "psetex",
                                                        "getex",  "hexpire", "hpexpire", "hgetex",
                                                        "hsetex", "sexpire", "spexpire"};

}  // namespace

LogReplay::LogReplay(Server& server, Hold& hold)
    : server_(server),
      hold_(hold),
      thread_(server.keyspace().background_slot(), server.keyspace(), server.commands().size(),
              server.scripts(), server.functions()),
      executor_(server, thread_),
      client_(server.clients().NextId(), server.clock().NowMs()) {
  client_.authenticated = true;
  client_.no_touch = true;
  executor_.BeginBatch();
}

int64_t LogReplay::TimeFor(CommandArguments args) const {
  auto is = [&](std::string_view name) { return EqualsIgnoreCase(args[0], name); };
  bool relative = std::any_of(kRelative.begin(), kRelative.end(), is);
  if (is("set")) {
    relative = std::any_of(args.begin() + std::min<ptrdiff_t>(3, std::ssize(args)), args.end(),
                           [](std::string_view word) {
                             return EqualsIgnoreCase(word, "ex") || EqualsIgnoreCase(word, "px");
                           });
  }
  if (is("restore")) {
    relative = std::none_of(args.begin() + std::min<ptrdiff_t>(4, std::ssize(args)), args.end(),
                            [](std::string_view word) { return EqualsIgnoreCase(word, "absttl"); });
  }
  return relative ? server_.clock().NowMs() : kNothingExpiresMs;
}

absl::Status LogReplay::Run(CommandArguments args) {
  if (EqualsIgnoreCase(args[0], "multi")) {
    in_multi_ = true;
    return absl::OkStatus();
  }
  if (EqualsIgnoreCase(args[0], "exec")) {
    in_multi_ = false;
    for (const std::vector<std::string>& words : std::exchange(queue_, {})) {
      std::vector<std::string_view> views(words.begin(), words.end());
      if (absl::Status status = RunOne(views); !status.ok()) return status;
    }
    return absl::OkStatus();
  }
  if (!in_multi_) return RunOne(args);
  queue_.emplace_back(args.begin(), args.end());
  return absl::OkStatus();
}

absl::Status LogReplay::RunOne(CommandArguments args) {
  const Command* command = server_.commands().Find(args);
  absl::Status may = executor_.admission().AdmitFromLog(command, args);
  if (!may.ok()) return may;
  ReplyWriter reply(output_, 2);
  executor_.RunNested(client_, *command, args, reply, TimeFor(args), CallMode::kTransaction, hold_);
  output_.Clear();
  return absl::OkStatus();
}

}  // namespace cloakroom
