#include "storage/changes/change.h"

#include <utility>

#include "absl/container/inlined_vector.h"

namespace cloakroom {
namespace {

template <typename Buffer>
void Empty(Buffer& buffer) {
  if (buffer.capacity() * sizeof(*buffer.data()) > ChangeBatch::kKeptBytes) {
    Buffer().swap(buffer);
  } else {
    buffer.clear();
  }
}

/// Whether the kind takes any number of items.
bool IsVariadic(ChangeKind kind) {
  return kind == ChangeKind::kSetField || kind == ChangeKind::kEraseField ||
         kind == ChangeKind::kAddMember || kind == ChangeKind::kRemoveMember ||
         kind == ChangeKind::kPushFront || kind == ChangeKind::kPushBack ||
         kind == ChangeKind::kSetScore || kind == ChangeKind::kRemoveScore ||
         kind == ChangeKind::kEraseEntry;
}

}  // namespace

void ChangeBatch::Clear() {
  Empty(changes_);
  Empty(ends_);
  Empty(bytes_);
  Empty(events_);
  Empty(event_keys_);
  abandoned_ = false;
  awaited_ = false;
}

void ChangeBatch::Abandon() {
  Clear();
  abandoned_ = true;
}

void ChangeBatch::AddWord(std::string_view word) {
  bytes_.append(word);
  ends_.push_back(bytes_.size());
}

std::string_view ChangeBatch::Word(size_t index) const {
  const size_t start = index == 0 ? 0 : ends_[index - 1];
  return {bytes_.data() + start, ends_[index] - start};
}

void ChangeBatch::Add(int db, ChangeKind kind, std::span<const std::string_view> words,
                      int64_t number) {
  if (abandoned_) [[unlikely]]
    return;
  changes_.push_back({kind, db, number, ends_.size(), words.size()});
  for (std::string_view word : words) AddWord(word);
}

bool ChangeBatch::Extends(int db, ChangeKind kind, std::string_view key) const {
  if (changes_.empty() || !IsVariadic(kind)) return false;
  const Record& last = changes_.back();
  return last.kind == kind && last.db == db && Word(last.first_word) == key;
}

void ChangeBatch::AddItem(int db, ChangeKind kind, std::string_view key,
                          std::span<const std::string_view> items, int64_t number) {
  if (abandoned_) [[unlikely]]
    return;
  if (!Extends(db, kind, key)) {
    changes_.push_back({kind, db, number, ends_.size(), 1});
    AddWord(key);
  }
  for (std::string_view item : items) AddWord(item);
  changes_.back().words += items.size();
}

void ChangeBatch::ForEach(absl::FunctionRef<void(const Change&)> visit) const {
  absl::InlinedVector<std::string_view, 8> words;
  for (const Record& record : changes_) {
    words.clear();
    for (size_t i = 0; i < record.words; ++i) words.push_back(Word(record.first_word + i));
    visit({record.kind, record.db, record.number, words});
  }
}

void ChangeBatch::AddEvent(const Event& event) {
  if (abandoned_) [[unlikely]]
    return;
  event_keys_.append(event.key);
  events_.push_back({event.db, event.name, event_keys_.size(), event.modified});
}

void ChangeBatch::ForEachEvent(absl::FunctionRef<void(const Event&)> visit) const {
  size_t start = 0;
  for (const EventRecord& record : events_) {
    visit({.db = record.db,
           .name = record.name,
           .key = std::string_view(event_keys_).substr(start, record.end - start),
           .modified = record.modified});
    start = record.end;
  }
}

std::unique_ptr<ChangeBatch> ChangeBatchPool::Take() {
  if (spare_.empty()) return std::make_unique<ChangeBatch>();
  std::unique_ptr<ChangeBatch> batch = std::move(spare_.back());
  spare_.pop_back();
  return batch;
}

void ChangeBatchPool::Give(std::unique_ptr<ChangeBatch> batch) {
  batch->Clear();
  spare_.push_back(std::move(batch));
}

}  // namespace cloakroom
