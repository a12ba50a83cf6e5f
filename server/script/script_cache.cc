#include "server/script/script_cache.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"

namespace cloakroom {
namespace {

constexpr std::size_t kShaDigits = 40;

std::size_t MemoryOf(const Script& script) {
  // The script, its two table slots and its place in the list of uses.
  return sizeof(Script) + script.text.capacity() + script.sha.capacity() + 128;
}

}  // namespace

ScriptPtr ScriptCache::Find(std::string_view sha) {
  if (sha.size() != kShaDigits) return nullptr;
  char lower[kShaDigits];
  for (std::size_t i = 0; i < kShaDigits; ++i) lower[i] = absl::ascii_tolower(sha[i]);
  MutexLock lock(mutex_);
  const auto found = by_sha_.find(std::string_view(lower, kShaDigits));
  if (found == by_sha_.end()) return nullptr;
  Touch(&found->second);
  return found->second.script;
}

ScriptPtr ScriptCache::FindText(std::string_view text) {
  MutexLock lock(mutex_);
  const auto known = by_text_.find(text);
  if (known == by_text_.end()) return nullptr;
  const auto found = by_sha_.find(known->second->sha);
  Touch(&found->second);
  return found->second.script;
}

ScriptPtr ScriptCache::Add(ScriptPtr script, bool pinned) {
  MutexLock lock(mutex_);
  const auto found = by_sha_.find(script->sha);
  if (found != by_sha_.end()) {
    Slot& slot = found->second;
    if (pinned && !slot.pinned) {
      uses_.erase(slot.use);
      slot.pinned = true;
    }
    return slot.script;
  }
  if (!pinned && uses_.size() >= kMaxEvalScripts) EvictOldest();
  Slot slot{script, pinned, {}};
  if (!pinned) slot.use = uses_.insert(uses_.begin(), script.get());
  memory_bytes_ += MemoryOf(*script);
  by_text_.emplace(script->text, script.get());
  by_sha_.emplace(script->sha, std::move(slot));
  return script;
}

std::vector<ScriptPtr> ScriptCache::Flush() {
  std::vector<ScriptPtr> dropped;
  MutexLock lock(mutex_);
  dropped.reserve(by_sha_.size());
  for (auto& [sha, slot] : by_sha_) dropped.push_back(slot.script);
  by_text_.clear();
  by_sha_.clear();
  uses_.clear();
  memory_bytes_ = 0;
  generation_.fetch_add(1, std::memory_order_release);
  return dropped;
}

std::vector<ScriptPtr> ScriptCache::Pinned() const {
  std::vector<ScriptPtr> pinned;
  MutexLock lock(mutex_);
  for (const auto& [sha, slot] : by_sha_) {
    if (slot.pinned) pinned.push_back(slot.script);
  }
  return pinned;
}

std::size_t ScriptCache::size() const {
  MutexLock lock(mutex_);
  return by_sha_.size();
}

std::size_t ScriptCache::memory_bytes() const {
  MutexLock lock(mutex_);
  return memory_bytes_;
}

void ScriptCache::Touch(Slot* slot) {
  if (!slot->pinned) uses_.splice(uses_.begin(), uses_, slot->use);
}

void ScriptCache::EvictOldest() {
  const Script* oldest = uses_.back();
  uses_.pop_back();
  memory_bytes_ -= MemoryOf(*oldest);
  by_text_.erase(oldest->text);
  by_sha_.erase(oldest->sha);  // frees it, unless it is still running
}

}  // namespace cloakroom
