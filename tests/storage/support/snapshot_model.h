#ifndef CLOAKROOM_TESTS_STORAGE_SUPPORT_SNAPSHOT_MODEL_H_
#define CLOAKROOM_TESTS_STORAGE_SUPPORT_SNAPSHOT_MODEL_H_

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/keyspace/entry.h"

namespace cloakroom {

/// A plain copy of what a keyspace holds, to compare with what a snapshot gives. It knows which
/// entries the snapshot may leave out: those that existed at the instant, were not opened since,
/// and have expired or been evicted.
class SnapshotModel {
 public:
  using Name = std::pair<int, std::string>;  ///< database and key
  struct Value {
    std::string text;
    int64_t expire_at_ms = kNoExpiry;
    std::optional<Name> untouched_since;  ///< its name at the instant, until it is opened
  };
  using Content = std::map<Name, Value>;

  explicit SnapshotModel(int databases) : databases_(databases) {}

  Value* Find(int db, const std::string& key) {
    auto& content = databases_[static_cast<size_t>(db)];
    const auto at = content.find(key);
    return at == content.end() ? nullptr : &at->second;
  }
  /// The keyspace opens the key: it removes an expired one, and any other gets a pre-image.
  Value* Open(int db, const std::string& key, int64_t now_ms) {
    Value* value = Find(db, key);
    if (value == nullptr) return nullptr;
    if (IsDue(*value, now_ms)) {
      LeaveOut(db, key);
      return nullptr;
    }
    value->untouched_since.reset();
    return value;
  }
  /// The key expires, or is evicted.
  void LeaveOut(int db, const std::string& key) {
    Value* value = Find(db, key);
    if (value == nullptr) return;
    if (value->untouched_since) may_lack_.insert(*value->untouched_since);
    databases_[static_cast<size_t>(db)].erase(key);
  }
  /// Removes the key if it has expired by now.
  void Expire(int db, const std::string& key, int64_t now_ms) {
    const Value* value = Find(db, key);
    if (value != nullptr && IsDue(*value, now_ms)) LeaveOut(db, key);
  }
  void Put(int db, const std::string& key, Value value) {
    value.untouched_since.reset();
    databases_[static_cast<size_t>(db)][key] = std::move(value);
  }
  void Erase(int db, const std::string& key) { databases_[static_cast<size_t>(db)].erase(key); }
  void Flush(int db) { databases_[static_cast<size_t>(db)].clear(); }
  void Swap(int a, int b) {
    std::swap(databases_[static_cast<size_t>(a)], databases_[static_cast<size_t>(b)]);
  }
  void Expire(int64_t now_ms) {
    for (int db = 0; db < static_cast<int>(databases_.size()); ++db) {
      std::vector<std::string> due;
      for (const auto& [key, value] : databases_[static_cast<size_t>(db)]) {
        if (IsDue(value, now_ms)) due.push_back(key);
      }
      for (const std::string& key : due) LeaveOut(db, key);
    }
  }

  void BeginSnapshot() {
    may_lack_.clear();
    instant_.clear();
    for (int db = 0; db < static_cast<int>(databases_.size()); ++db) {
      for (auto& [key, value] : databases_[static_cast<size_t>(db)]) {
        value.untouched_since = Name(db, key);
        instant_[{db, key}] = value;
      }
    }
  }

  /// What is wrong with a snapshot that gave this, or "".
  std::string Difference(const Content& given) const {
    for (const auto& [name, value] : given) {
      const auto at = instant_.find(name);
      if (at == instant_.end()) return Words(name) + " was not there";
      if (at->second.text != value.text) return Words(name) + " is " + value.text.substr(0, 40);
      if (at->second.expire_at_ms != value.expire_at_ms) return Words(name) + " expires else";
    }
    for (const auto& [name, value] : instant_) {
      if (!given.contains(name) && !may_lack_.contains(name)) return Words(name) + " is missing";
    }
    return "";
  }
  size_t keys() const { return instant_.size(); }

 private:
  static bool IsDue(const Value& value, int64_t now_ms) {
    return value.expire_at_ms != kNoExpiry && value.expire_at_ms <= now_ms;
  }
  static std::string Words(const Name& name) {
    return std::to_string(name.first) + ":" + name.second;
  }

  std::vector<std::map<std::string, Value>> databases_;
  Content instant_;
  std::set<Name> may_lack_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_STORAGE_SUPPORT_SNAPSHOT_MODEL_H_
