// SAVE BGSAVE LASTSAVE BGREWRITEAOF.
#include "server/persistence/persistence.h"

#include <string_view>
#include <utility>

#include "server/commands/families.h"
#include "server/execution/call.h"

namespace cloakroom {
namespace {

using Kind = BackgroundWork::Kind;

/// Redis writes the reason of a failure to its server log.
constexpr std::string_view kSaveFailed = "ERR";
constexpr std::string_view kSaveGivenUp =
    "ERR The save was given up: the server is ending, or loads its data anew";
constexpr std::string_view kSnapshotRuns = "ERR Background save already in progress";

constexpr std::string_view kRewriteRuns =
    "ERR An append only file rewrite is in progress: can't SAVE right now. Use BGSAVE SCHEDULE in "
    "order to save when it is done.";

/// As in Redis, an RDB for replicas is a save, too.
bool SavesSnapshot(Kind kind) { return kind == Kind::kSnapshot || kind == Kind::kFullSync; }

/// In Redis SAVE stops the world. Here only this client waits; the others go on.
void Save(Call& call) {
  if (SavesSnapshot(call.server().persistence().work().under_way())) {
    return call.Error(kSnapshotRuns);
  }
  call.StartLongWork([&saver = call.server().persistence().saver()](LongWork& work) -> Task {
    absl::Status written;
    co_await work.Until([&](LongWork::Resume resume) {
      const Kind running = saver.Begin([&, resume](const absl::Status& saved) {
        if (!saved.ok()) written = Refused(absl::IsCancelled(saved) ? kSaveGivenUp : kSaveFailed);
        resume();
      });
      if (running == Kind::kNone) return;
      written = Refused(SavesSnapshot(running) ? kSnapshotRuns : kRewriteRuns);
      resume();
    });
    written.ok() ? work.reply.Ok() : work.Error(ReplyOf(written));
  });
}

void BgSave(Call& call) {
  bool schedule = false;
  if (call.argc() > 1) {
    if (call.argc() != 2 || !call.Is(1, "schedule")) return call.SyntaxError();
    schedule = true;
  }
  Persistence& persistence = call.server().persistence();
  const Kind running = persistence.work().under_way();
  if (SavesSnapshot(running)) return call.Error(kSnapshotRuns);
  if (running == Kind::kRewrite || call.mode() != CallMode::kTopLevel) {
    if (!schedule && call.mode() == CallMode::kTopLevel) {
      return call.Error(
          "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE "
          "in order to schedule a BGSAVE whenever possible.");
    }
    persistence.saver().Schedule();
    return call.reply().Simple("Background saving scheduled");
  }
  // Waits for the snapshot's instant: changes after the reply must not be in the snapshot.
  call.StartLongWork([&saver = persistence.saver()](LongWork& work) -> Task {
    bool runs = false;
    co_await work.Until([&](LongWork::Resume resume) {
      runs = saver.Begin(nullptr, resume) != Kind::kNone;
      if (runs) resume();
    });
    runs ? work.Error(kSnapshotRuns) : work.reply.Simple("Background saving started");
  });
}

void LastSave(Call& call) {
  call.reply().Integer(call.server().persistence().saver().figures().last_save_s);
}

void BgRewriteAof(Call& call) {
  LogKeeper& log_keeper = call.server().persistence().log_keeper();
  const Kind running = call.server().persistence().work().under_way();
  if (running == Kind::kRewrite) {
    return call.Error("ERR Background append only file rewriting already in progress");
  }
  if (SavesSnapshot(running) || call.mode() != CallMode::kTopLevel ||
      log_keeper.Begin() != Kind::kNone) {
    log_keeper.Schedule();
    return call.reply().Simple("Background append only file rewriting scheduled");
  }
  call.reply().Simple("Background append only file rewriting started");
}

// Read as a table.
// clang-format off
constexpr CommandRow kPersistenceCommands[] = {
    {.name = "save", .run = Save, .arity = 1,
     .flags = kAdmin | kNoScript | kNoMulti | kNoAsyncLoading,
     .since = "1.0.0", .complexity = "O(N) for N keys",
     .summary = "Writes a snapshot to the disk, and waits for it."},
    {.name = "bgsave", .run = BgSave, .arity = -1, .flags = kAdmin | kNoScript | kNoAsyncLoading,
     .since = "1.0.0",
     .complexity = "O(1)",
     .syntax = "[SCHEDULE]", .summary = "Begins to write a snapshot to the disk."},
    {.name = "lastsave", .run = LastSave, .arity = 1,
     .flags = kLoading | kStale | kFast | kRandomOutput, .categories = kCatAdmin | kCatDangerous,
     .since = "1.0.0", .complexity = "O(1)",
     .summary = "Tells when the last snapshot was written, in seconds since 1970."},
    {.name = "bgrewriteaof", .run = BgRewriteAof, .arity = 1,
     .flags = kAdmin | kNoScript | kNoAsyncLoading,
     .since = "1.0.0", .complexity = "O(1)",
     .summary = "Begins to write the append-only log anew, as short as can be."},
};
// clang-format on

}  // namespace

CommandFamily PersistenceCommands() { return {CommandGroup::kServer, 0, kPersistenceCommands}; }

}  // namespace cloakroom
