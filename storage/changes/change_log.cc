#include "storage/changes/change_log.h"

#include <array>
#include <memory>
#include <utility>

#include "absl/container/inlined_vector.h"

namespace cloakroom {
namespace {

struct ItemCommand {
  std::string_view name;
  bool variadic;  ///< takes any number of items
};

/// In the order of ItemChange.
constexpr std::array<ItemCommand, 6> kItemCommands = {{{"HSET", true},
                                                       {"HDEL", true},
                                                       {"HPEXPIREAT", false},
                                                       {"HPERSIST", false},
                                                       {"SADD", true},
                                                       {"SREM", true}}};

template <typename Buffer>
void Empty(Buffer& buffer) {
  if (buffer.capacity() * sizeof(*buffer.data()) > ChangeBatch::kKeptBytes) {
    Buffer().swap(buffer);
  } else {
    buffer.clear();
  }
}

thread_local ChangeBatch* current_changes = nullptr;
thread_local std::vector<std::unique_ptr<ChangeBatch>> spare_batches;

}  // namespace

void ChangeBatch::Clear() {
  Empty(commands_);
  Empty(ends_);
  Empty(bytes_);
  Empty(last_key_);
  extensible_ = false;
  abandoned_ = false;
  shown_ = false;
}

void ChangeBatch::Abandon() {
  Clear();
  abandoned_ = true;
}

void ChangeBatch::AddWord(std::string_view word) {
  bytes_.append(word);
  ends_.push_back(bytes_.size());
}

void ChangeBatch::Add(int db, std::span<const std::string_view> words) {
  if (abandoned_) [[unlikely]]
    return;
  for (std::string_view word : words) AddWord(word);
  commands_.push_back({db, words.size()});
  extensible_ = false;
}

void ChangeBatch::AddItem(int db, std::string_view key, ItemChange change,
                          std::initializer_list<std::string_view> arguments) {
  if (abandoned_) [[unlikely]]
    return;
  const ItemCommand& command = kItemCommands[static_cast<size_t>(change)];
  bool extends =
      extensible_ && last_change_ == change && commands_.back().db == db && last_key_ == key;
  if (!extends) {
    AddWord(command.name);
    AddWord(key);
    commands_.push_back({db, 2});
  }
  for (std::string_view argument : arguments) AddWord(argument);
  commands_.back().words += arguments.size();
  extensible_ = command.variadic;
  if (extends || !extensible_) return;
  last_change_ = change;
  last_key_ = key;
}

void ChangeBatch::ForEach(
    absl::FunctionRef<void(int, std::span<const std::string_view>)> visit) const {
  absl::InlinedVector<std::string_view, 8> words;
  size_t word = 0;
  size_t start = 0;
  for (const Command& command : commands_) {
    words.clear();
    for (size_t i = 0; i < command.words; ++i, ++word) {
      words.emplace_back(bytes_.data() + start, ends_[word] - start);
      start = ends_[word];
    }
    visit(command.db, words);
  }
}

ChangeBatch* CurrentChanges() { return current_changes; }

ChangeBatch* ExchangeCurrentChanges(ChangeBatch* batch) {
  return std::exchange(current_changes, batch);
}

ChangeBatch* BorrowChangeBatch() {
  if (spare_batches.empty()) return new ChangeBatch;
  ChangeBatch* batch = spare_batches.back().release();
  spare_batches.pop_back();
  return batch;
}

void ReturnChangeBatch(ChangeBatch* batch) {
  batch->Clear();
  spare_batches.emplace_back(batch);
}

}  // namespace cloakroom
