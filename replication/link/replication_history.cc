#include "replication/link/replication_history.h"

#include <algorithm>
#include <string>

#include "protocol/text.h"

namespace cloakroom {

int64_t ReplicationHistory::FirstByte(const StreamExtent& stream, int64_t backlog_size) const {
  const int64_t wanted = std::min(stream.tail - backlog_size, stream.oldest_cursor);
  const int64_t first = std::max({wanted, stream.first_kept, begin_});
  return OffsetAt(std::min(first, stream.tail)) + 1;
}

void ReplicationHistory::ForgetId2() {
  id2_ = ReplicationId();
  id2_limit_ = kNoLimit;
}

void ReplicationHistory::ChangeId(absl::BitGenRef random) {
  id1_ = ReplicationId::Random(random);
  ForgetId2();
  restart_tail_.reset();
}

std::optional<LinkLine> ReplicationHistory::BeginBacklog(int64_t tail, absl::BitGenRef random) {
  if (backlog_) return std::nullopt;
  ChangeId(random);
  backlog_ = true;
  begin_ = tail;
  return LinkLine::Notice(Concat({"Replication backlog created, my new replication IDs are '",
                                  id1_.text(), "' and '", id2_.text(), "'"}));
}

LinkLine ReplicationHistory::DropBacklog(int64_t ttl_s, absl::BitGenRef random) {
  ChangeId(random);
  backlog_ = false;
  return LinkLine::Notice(Concat({"Replication backlog freed after ", std::to_string(ttl_s),
                                  " seconds without connected replicas."}));
}

LinkLine ReplicationHistory::Promote(int64_t tail, absl::BitGenRef random) {
  const ReplicationId old = id1_;
  ChangeId(random);
  id2_ = old;
  id2_limit_ = OffsetAt(tail) + 1;
  return LinkLine::Warning(Concat({"Setting secondary replication ID to ", id2_.text(),
                                   ", valid up to offset: ", std::to_string(id2_limit_),
                                   ". New replication ID is ", id1_.text()}));
}

HistoryPoint ReplicationHistory::BecomeReplica(int64_t tail) {
  // A replica's own replicas can continue from it, so it always has a backlog.
  if (!backlog_) begin_ = tail;
  backlog_ = true;
  return {IsAsRestarted(tail) ? id2_ : id1_, OffsetAt(tail)};
}

bool ReplicationHistory::Continue(const ReplicationId& id, int64_t tail) {
  if (!backlog_) begin_ = tail;
  backlog_ = true;
  restart_tail_.reset();
  // The primary may return an id with other letters than it has said before.
  if (id1_.Is(id.text())) return false;
  id2_ = id1_;
  id2_limit_ = OffsetAt(tail) + 1;
  id1_ = id;
  return true;
}

bool ReplicationHistory::Set(const HistoryPoint& point, int64_t begin, int64_t tail) {
  if (point.offset < 0 || point.offset > kMaxOffset) return false;
  id1_ = point.id;
  ForgetId2();
  bias_ = point.offset - tail;
  backlog_ = true;
  begin_ = begin;
  restart_tail_.reset();
  return true;
}

bool ReplicationHistory::TakeOver(const HistoryPoint& point, int64_t tail) {
  return Set(point, tail, tail);
}

bool ReplicationHistory::RestartAsPrimary(const HistoryPoint& point, int64_t begin, int64_t tail,
                                          absl::BitGenRef random) {
  if (!Set(point, begin, tail)) return false;
  Promote(tail, random);
  restart_tail_ = tail;
  return true;
}

bool ReplicationHistory::RestartAsReplica(const HistoryPoint& point, int64_t begin, int64_t tail) {
  return Set(point, begin, tail);
}

bool BacklogIsIdle(int64_t now_ms, int64_t no_replicas_since_ms, int64_t ttl_s) {
  return ttl_s > 0 && (now_ms - no_replicas_since_ms) / 1000 > ttl_s;
}

}  // namespace cloakroom
