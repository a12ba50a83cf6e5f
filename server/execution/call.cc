#include "server/execution/call.h"

#include <utility>

#include "absl/strings/match.h"
#include "protocol/numbers.h"
#include "server/persistence/persistence.h"
#include "storage/access/lookup.h"

namespace cloakroom {
namespace {

/// Shorter values are copied into the reply: a reference costs a bookkeeping entry and a span of
/// the gathered write.
constexpr size_t kShareFrom = 4096;

SharedBytes Share(const Blob* blob) {
  blob->Ref();
  return {std::shared_ptr<const void>(blob,
                                      [](const void* p) { static_cast<const Blob*>(p)->Unref(); }),
          blob->bytes()};
}

}  // namespace

KeyHash Call::HashOf(std::string_view key) {
  return key.data() == first_key_.data() && key.size() == first_key_.size() ? first_hash_
                                                                            : KeyHash::Of(key);
}

const Entry* Call::Find(std::string_view key) {
  const Entry* entry = client_.no_touch
                           ? PeekKey(hold_, *db_, key, HashOf(key), now_ms_)
                           : FindKey(hold_, *db_, key, HashOf(key), now_ms_, thread_.random);
  (entry != nullptr ? thread_.stats.keyspace_hits : thread_.stats.keyspace_misses) += 1;
  if (entry == nullptr) NoteMiss(hold_, *db_, key);
  return entry;
}

const Entry* Call::Peek(std::string_view key) {
  return PeekKey(hold_, *db_, key, HashOf(key), now_ms_);
}

void Call::SeeEverything() { server_.persistence().journal().SeeEverything(thread_.holds); }

void Call::Error(std::string_view message) {
  error_code_ = ErrorCodeOf(message);
  reply_.Error(message);
}

void Call::WrongArity() { Error(WrongArityOf(command_.row->name)); }

void Call::ReplyString(const StringView& value) {
  if (value.blob() != nullptr && value.size() >= kShareFrom) {
    reply_.Bulk(Share(value.blob()));
  } else {
    reply_.Bulk(value.bytes());
  }
}

void Call::ReplyRange(const StringView& value, size_t offset, size_t size) {
  if (value.blob() == nullptr || size < kShareFrom) {
    return reply_.Bulk(value.bytes().substr(offset, size));
  }
  SharedBytes shared = Share(value.blob());
  shared.bytes = shared.bytes.substr(offset, size);
  reply_.Bulk(std::move(shared));
}

void Call::ReplyItem(const ItemValue& value) { cloakroom::ReplyItem(reply_, value); }

std::optional<int64_t> Call::Integer(size_t i, std::string_view error) {
  std::optional<int64_t> value = ParseInteger(args_[i]);
  if (!value) Error(error);
  return value;
}

std::optional<int64_t> Call::IntegerIn(size_t i, int64_t low, int64_t high,
                                       std::string_view error) {
  std::optional<int64_t> value = ParseInteger(args_[i]);
  if (value && *value >= low && *value <= high) return value;
  Error(error);
  return std::nullopt;
}

bool Call::Is(size_t i, std::string_view keyword) const {
  return absl::EqualsIgnoreCase(absl::string_view(args_[i].data(), args_[i].size()),
                                absl::string_view(keyword.data(), keyword.size()));
}

void Call::StartLongWork(LongWork::Function work) {
  if (mode_ == CallMode::kTopLevel) {
    work_ = std::move(work);
    return;
  }
  LongWork here(std::move(work), reply_, hold_);
  here.RunToEnd();
  error_code_ = here.error_code();
}

void ReplyItem(ReplyWriter& reply, const ItemValue& value) {
  if (value.blob != nullptr && value.bytes.size() >= kShareFrom) {
    reply.Bulk(Share(value.blob));
  } else {
    reply.Bulk(value.bytes);
  }
}

}  // namespace cloakroom
