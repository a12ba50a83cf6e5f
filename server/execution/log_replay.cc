#include "server/execution/log_replay.h"

#include <utility>

#include "protocol/reply_writer.h"
#include "protocol/text.h"
#include "server/execution/relative_time.h"
#include "server/session/client_registry.h"
#include "storage/base/clock.h"

namespace cloakroom {

LogReplay::LogReplay(Server& server, Hold& hold)
    : server_(server),
      hold_(hold),
      thread_(server.keyspace().background_slot(), server.keyspace(), server.commands().size(),
              server.scripts(), server.functions()),
      executor_(server, thread_),
      client_(server.clients().NextId(), server.clock().NowMs()) {
  client_.authenticated = true;
  client_.primary = true;
  client_.no_touch = true;
  executor_.BeginBatch();
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
  if (const auto absolute = ToAbsolute(*command->row, args, executor_.now_ms())) {
    return RunOne(std::vector<std::string_view>(absolute->begin(), absolute->end()));
  }
  ReplyWriter reply(output_, 2);
  executor_.RunNested(client_, {.args = args, .command = command}, reply, kNothingExpiresMs,
                      CallMode::kTransaction, hold_);
  output_.Clear();
  return absl::OkStatus();
}

}  // namespace cloakroom
