#include "replication/stream/command_snapshot.h"

#include <vector>

#include "replication/stream/command_encoder.h"
#include "storage/base/integer_text.h"
#include "storage/values/hash.h"
#include "storage/values/set.h"
#include "storage/values/string_value.h"

namespace cloakroom {
namespace {

constexpr size_t kItemsPerCommand = 64;

/// Gathers the words of a command on a key, and gives them to a sink when there are enough.
class LongCommand {
 public:
  LongCommand(std::string_view name, std::string_view key, size_t words_per_item, ByteSink& sink)
      : most_(2 + kItemsPerCommand * words_per_item), sink_(sink), words_{name, key} {}
  ~LongCommand() { Flush(); }
  LongCommand(const LongCommand&) = delete;
  LongCommand& operator=(const LongCommand&) = delete;

  void Add(std::initializer_list<std::string_view> item) {
    // A copy: what a set or a hash shows is valid only for the moment.
    for (std::string_view word : item) kept_.emplace_back(word);
    if (2 + kept_.size() >= most_) Flush();
  }

 private:
  void Flush() {
    if (kept_.empty()) return;
    words_.resize(2);
    words_.insert(words_.end(), kept_.begin(), kept_.end());
    std::string bytes;
    AppendCommand(bytes, words_);
    sink_.Append(bytes);
    kept_.clear();
  }

  const size_t most_;
  ByteSink& sink_;
  std::vector<std::string> kept_;
  std::vector<std::string_view> words_;
};

}  // namespace

void CommandSnapshot::Send(std::initializer_list<std::string_view> words) {
  bytes_.clear();
  AppendCommand(bytes_, std::span(words.begin(), words.size()));
  sink_.Append(bytes_);
}

void CommandSnapshot::Script(std::string_view text) { Send({"SCRIPT", "LOAD", text}); }

void CommandSnapshot::Select(int db) {
  if (db == db_) return;
  db_ = db;
  Send({"SELECT", IntegerText(db).view()});
}

void CommandSnapshot::Entry(const SnapshotEntry& entry) {
  Select(entry.db);
  switch (entry.type) {
    case ValueType::kString:
      return String(entry);
    case ValueType::kHash:
      HashFields(entry);
      break;
    case ValueType::kSet:
      SetMembers(entry);
      break;
  }
  if (entry.expire_at_ms == kNoExpiry) return;
  Send({"PEXPIREAT", entry.key, IntegerText(entry.expire_at_ms).view()});
}

void CommandSnapshot::String(const SnapshotEntry& entry) {
  const StringView string(entry.encoding, entry.payload);
  if (entry.expire_at_ms == kNoExpiry) return Send({"SET", entry.key, string.bytes()});
  Send({"SET", entry.key, string.bytes(), "PXAT", IntegerText(entry.expire_at_ms).view()});
}

void CommandSnapshot::HashFields(const SnapshotEntry& entry) {
  const Hash hash(entry.encoding, entry.payload);
  {
    LongCommand command("HSET", entry.key, 2, sink_);
    hash.ForEach([&](const Item& item) { command.Add({item.field, item.value.bytes}); }, now_ms_);
  }
  if (hash.NextExpiry() == kNoFieldExpiry) return;
  hash.ForEach(
      [&](const Item& item) {
        if (item.expires_at_ms == kNoFieldExpiry) return;
        Send({"HPEXPIREAT", entry.key, IntegerText(item.expires_at_ms).view(), "FIELDS", "1",
              item.field});
      },
      now_ms_);
}

void CommandSnapshot::SetMembers(const SnapshotEntry& entry) {
  LongCommand command("SADD", entry.key, 1, sink_);
  Set(entry.encoding, entry.payload).ForEach([&](std::string_view member) {
    command.Add({member});
  });
}

}  // namespace cloakroom
