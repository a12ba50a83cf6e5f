#include "server/persistence/change_journal.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/server.h"

namespace cloakroom {
namespace {

thread_local int64_t unacknowledged_offset = 0;

AppendOnlyFile::Fsync FsyncOf(Appendfsync policy) {
  switch (policy) {
    case Appendfsync::kAlways:
      return AppendOnlyFile::Fsync::kAlways;
    case Appendfsync::kNo:
      return AppendOnlyFile::Fsync::kNo;
    case Appendfsync::kEverySec:
      return AppendOnlyFile::Fsync::kEverySec;
  }
  return AppendOnlyFile::Fsync::kEverySec;
}

}  // namespace

ChangeJournal::ChangeJournal(Server& server, Files& files)
    : server_(server),
      file_(files, server.clock(),
            {.folder = server.config().Text("appenddirname"),
             .name = server.config().Text("appendfilename")}) {
  FollowSettings();
}

void ChangeJournal::FollowSettings() {
  auto follow = [this] {
    file_.set_fsync(FsyncOf(server_.settings().appendfsync));
    return std::string();
  };
  follow();
  server_.config().Subscribe({"appendfsync"}, follow);
}

void ChangeJournal::Append(const ChangeBatch& batch) {
  const bool annotate = server_.settings().aof_timestamp_enabled;
  const int64_t now_s = annotate ? server_.clock().NowMs() / 1000 : 0;
  const int64_t offset = file_.Append([&](std::string& pending) {
    if (annotate && now_s > last_annotation_s_) {
      pending += "#TS:" + std::to_string(now_s) + "\r\n";
      last_annotation_s_ = now_s;
    }
    stream_.Encode(batch, &pending);
  });
  if (server_.settings().appendfsync == Appendfsync::kAlways) unacknowledged_offset = offset;
}

int64_t ChangeJournal::TakeUnacknowledged() { return std::exchange(unacknowledged_offset, 0); }

std::string ChangeJournal::Refusal() const {
  return std::string("MISCONF Errors writing to the AOF file: ") +
         std::strerror(file_.error().code);
}

bool ChangeJournal::WantsRewrite() const {
  const Config& settings = server_.settings();
  const int percentage = settings.auto_aof_rewrite_percentage;
  if (!on() || percentage == 0) return false;
  const AppendOnlyFile::Figures figures = file_.figures();
  if (figures.current_bytes <= settings.auto_aof_rewrite_min_size_bytes) return false;
  const int64_t base = std::max<int64_t>(figures.base_bytes, 1);
  return (figures.current_bytes - base) * 100 / base >= percentage;
}

void ChangeJournal::Attach() {
  stream_.Restart();
  on_ = true;
  server_.keyspace().set_change_log(this);
}

void ChangeJournal::Detach() {
  server_.keyspace().set_change_log(nullptr);
  on_ = false;
}

void ChangeJournal::Switch() {
  file_.Switch();
  stream_.Restart();
}

}  // namespace cloakroom
