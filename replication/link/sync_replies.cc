#include "replication/link/sync_replies.h"

#include "protocol/numbers.h"

namespace cloakroom {
namespace {

constexpr std::string_view kFullSyncWord = "+FULLRESYNC";
constexpr std::string_view kContinueWord = "+CONTINUE";
constexpr std::string_view kEndMark = "$EOF:";

}  // namespace

PsyncAnswer ReadPsyncAnswer(std::string_view line) {
  if (line.starts_with(kFullSyncWord)) return PsyncAnswer::kFullSync;
  if (line.starts_with(kContinueWord)) return PsyncAnswer::kContinue;
  if (line.starts_with("-NOMASTERLINK") || line.starts_with("-LOADING")) return PsyncAnswer::kLater;
  return PsyncAnswer::kUnsupported;
}

std::optional<HistoryPoint> ReadFullSync(std::string_view line) {
  const size_t id_begin = kFullSyncWord.size() + 1;
  const size_t offset_begin = id_begin + ReplicationId::kLength + 1;
  if (line.size() < offset_begin || line[id_begin - 1] != ' ' || line[offset_begin - 1] != ' ') {
    return std::nullopt;
  }
  const auto id = ReplicationId::Parse(line.substr(id_begin, ReplicationId::kLength));
  const std::optional<int64_t> offset = ParseInteger(line.substr(offset_begin));
  if (!id || !offset || *offset < 0 || *offset > ReplicationHistory::kMaxOffset) {
    return std::nullopt;
  }
  return HistoryPoint{*id, *offset};
}

std::optional<ReplicationId> ReadContinue(std::string_view line) {
  line.remove_prefix(kContinueWord.size());
  if (!line.starts_with(' ')) return std::nullopt;
  return ReplicationId::Parse(line.substr(1));
}

std::optional<SyncSize> ReadSyncSize(std::string_view line) {
  SyncSize size;
  if (line.starts_with(kEndMark)) {
    line.remove_prefix(kEndMark.size());
    if (line.size() < SyncSize::kMarkLength) return std::nullopt;
    size.has_mark = true;
    line.copy(size.mark.data(), size.mark.size());
    return size;
  }
  if (!line.starts_with('$')) return std::nullopt;
  const std::optional<int64_t> length = ParseInteger(line.substr(1));
  if (!length || *length <= 0) return std::nullopt;
  size.length = *length;
  return size;
}

}  // namespace cloakroom
