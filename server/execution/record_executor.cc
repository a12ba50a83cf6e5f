#include "server/execution/record_executor.h"

#include <algorithm>
#include <optional>
#include <string>

#include "protocol/numbers.h"
#include "protocol/reply_writer.h"
#include "protocol/text.h"
#include "server/execution/command_table.h"
#include "server/execution/relative_time.h"
#include "server/log/log.h"
#include "server/metrics/monitor_feed.h"
#include "server/roles/replication.h"
#include "server/session/client_registry.h"
#include "storage/base/clock.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {
namespace {

constexpr std::string_view kMulti[] = {"MULTI"};
constexpr std::string_view kExec[] = {"EXEC"};

bool IsSelect(CommandArguments args) {
  return args.size() == 2 && EqualsIgnoreCase(args[0], "select");
}

}  // namespace

RecordExecutor::RecordExecutor(Server& server)
    : server_(server),
      thread_(server.applier()),
      executor_(server, thread_),
      client_(server.clients().NextId(), server.clock().NowMs()) {
  client_.authenticated = true;
  client_.primary = true;
  client_.no_touch = true;
}

void RecordExecutor::BeginTurn(std::span<char> ahead) {
  executor_.BeginBatch();
  ahead_.Clear();
  ahead_at_ = 0;
  // No limit of the reader is checked here: a record that is not whole ends the look ahead.
  RequestParser parser(
      {.proto_max_bulk_len = static_cast<int64_t>(ahead.size()), .inline_requests = false});
  int db = client_.db;
  while (ahead_.size() < kAhead) {
    const size_t first = ahead_.arguments.size();
    if (parser.Parse(ahead, ahead_.arguments) != RequestParser::Status::kRequest) break;
    ahead = ahead.subspan(parser.TakeConsumed());
    const CommandArguments args = CommandArguments(ahead_.arguments).subspan(first);
    db = SelectedBy(args).value_or(db);
    ahead_.places.push_back({.first = first, .count = args.size(), .end = 0, .db = db});
  }
  executor_.Prepare(ahead_);
}

void RecordExecutor::Look(const RecordReader& record) {
  requests_.clear();
  for (size_t i = 0; i < record.commands(); ++i) {
    Request request = Prepare(record.arguments(i));
    const bool may = executor_.admission().AdmitFromPrimary(request.command, request.args).ok();
    if (!may) request.command = nullptr;
    requests_.push_back(std::move(request));
  }
}

Request RecordExecutor::Prepare(CommandArguments args) {
  // MULTI and EXEC, which no record shows, are among those ahead.
  for (size_t i = ahead_at_; i < ahead_.size(); ++i) {
    if (ahead_.requests[i].args[0].data() != args[0].data()) continue;
    ahead_at_ = i + 1;
    return ahead_.requests[i];
  }
  return executor_.Prepare(args);
}

RecordExecutor::Needs RecordExecutor::NeedsOf(const RecordReader& record) const {
  Needs needs;
  for (size_t i = 0; i < record.commands(); ++i) {
    const Request& request = requests_[i];
    const bool alone = !record.transaction();
    if (request.command == nullptr || (alone && IsSelect(request.args))) continue;
    AddDatabasesAlone(server_, *request.command, request.args, client_.db, /*nested=*/true,
                      &needs.databases);
    AddKeys(request, &needs.keys);
  }
  // A record that closes any gate also closes the selected database's, as a transaction does.
  if (!needs.databases.empty()) AddDatabase(server_.keyspace().db(client_.db), &needs.databases);
  return needs;
}

bool RecordExecutor::TryHold(Hold& hold, const Needs& needs) {
  Database& db = server_.keyspace().db(client_.db);
  if (!needs.databases.empty()) {
    return hold.TryClose({needs.databases.data(), needs.databases.size()}, tickets_.any());
  }
  if (needs.keys.empty()) return hold.TryPass(db);
  if (needs.keys.size() == 1) return hold.TryKey(db, needs.keys.front());
  return hold.TryKeys(db, needs.keys);
}

bool RecordExecutor::TryRun(const RecordReader& record, absl::FunctionRef<void()> applied,
                            Obstacle* obstacle) {
  Look(record);
  const Needs needs = NeedsOf(record);
  {
    Hold hold(thread_.slot, &thread_.holds);
    if (!TryHold(hold, needs)) {
      Gate* const gate = hold.refused();
      const bool closes = hold.refused_to_close();
      if (gate != nullptr && closes) tickets_.Refused(*gate);
      *obstacle = {.gate = gate, .wish = {.closes = closes, .queued = closes}};
      return false;
    }
    tickets_.Clear();
    RunAll(record, hold);
    applied();
  }
  TellMonitors();
  return true;
}

void RecordExecutor::RunUnder(const RecordReader& record, Hold& hold) {
  BeginTurn({});
  Look(record);
  RunAll(record, hold);
  TellMonitors();
}

void RecordExecutor::RunAll(const RecordReader& record, Hold& hold) {
  refused_.clear();
  reworded_.clear();
  Accounting& accounting = executor_.accounting();
  MonitorNotes* const outer = accounting.KeepNotes(&monitor_notes_);
  if (record.transaction()) NoteForMonitors(kMulti);
  for (size_t i = 0; i < record.commands(); ++i) {
    record_command_ = i;
    if (!RunOne(requests_[i], hold)) refused_.push_back(i);
  }
  if (record.transaction()) NoteForMonitors(kExec);
  accounting.KeepNotes(outer);
}

/// A command of the stream that no function runs.
void RecordExecutor::NoteForMonitors(CommandArguments args) {
  if (!server_.monitors().active()) [[likely]]
    return;
  executor_.accounting().TellMonitors(client_, *server_.commands().Find(args), args,
                                      CallMode::kTransaction);
}

void RecordExecutor::TellMonitors() {
  if (!monitor_notes_.empty()) [[unlikely]]
    server_.monitors().Tell(monitor_notes_, thread_.pusher());
}

bool RecordExecutor::refused(size_t command) const {
  return std::binary_search(refused_.begin(), refused_.end(), command);
}

const OwnedArguments* RecordExecutor::reworded(size_t command) const {
  const auto found = std::ranges::find(reworded_, command, &Reworded::first);
  return found == reworded_.end() ? nullptr : &found->second;
}

std::optional<int> RecordExecutor::SelectedBy(CommandArguments args) const {
  if (!IsSelect(args)) return std::nullopt;
  const std::optional<int64_t> number = ParseInteger(args[1]);
  if (!number || *number < 0 || *number >= server_.keyspace().database_count()) return std::nullopt;
  return static_cast<int>(*number);
}

bool RecordExecutor::RunOne(const Request& request, Hold& hold) {
  const CommandArguments args = request.args;
  if (IsSelect(args)) {
    const std::optional<int> db = SelectedBy(args);
    if (!db) Tell(args, "ERR DB index is out of range");
    client_.db = db.value_or(client_.db);
    NoteForMonitors(args);
    return true;
  }
  if (EqualsIgnoreCase(args[0], "replconf")) return true;
  if (request.command == nullptr) {
    const Command* const command = server_.commands().Find(args);
    Tell(args, ReplyOf(executor_.admission().AdmitFromPrimary(command, args)));
    return false;
  }
  // An old primary says SETEX and EXPIRE. The time that they mean is one for our log as well.
  if (auto absolute = ToAbsolute(*request.command->row, args, executor_.now_ms())) {
    const std::vector<std::string_view> words(absolute->begin(), absolute->end());
    const bool ran = RunOne(executor_.Prepare(words), hold);
    reworded_.emplace_back(record_command_, *std::move(absolute));
    return ran;
  }
  ReplyWriter reply(output_, 2);
  executor_.RunNested(client_, request, reply, kNothingExpiresMs, CallMode::kTransaction, hold);
  const std::optional<std::string_view> whole = output_.Whole();
  if (whole && whole->starts_with('-')) {
    Tell(args, whole->substr(1, whole->find('\r') - 1));
  }
  output_.Clear();
  return true;
}

void RecordExecutor::Tell(CommandArguments args, std::string_view error) {
  constexpr std::string_view kPlain = "ERR ";
  server_.replication().CountError();
  server_.replication().NoteDiverged();
  // As in Redis: the code ERR is not shown, any other code is, with its "-".
  const bool plain = error.starts_with(kPlain);
  const Command* const command = server_.commands().Find(args);
  const std::string_view name = command == nullptr ? "<unknown>" : command->row->name;
  LogWarning(
      "== CRITICAL == This replica is sending an error to its master: '{}{}' after processing the "
      "command '{}'",
      plain ? "" : "-", error.substr(plain ? kPlain.size() : 0), name);
}

}  // namespace cloakroom
