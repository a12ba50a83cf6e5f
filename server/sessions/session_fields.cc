#include "server/sessions/session_fields.h"

#include "protocol/numbers.h"
#include "storage/access/lookup.h"
#include "storage/access/write_scope.h"
#include "storage/keyspace/keyspace.h"
#include "storage/values/hash.h"

namespace cloakroom {
namespace {

std::string_view TextOf(const Hash& hash, std::string_view field, int64_t now_ms) {
  const std::optional<ItemValue> value = hash.Find(field, now_ms);
  return value ? value->bytes : std::string_view();
}

int64_t CountOf(const Hash& hash, std::string_view field, int64_t now_ms) {
  return ParseInteger(TextOf(hash, field, now_ms)).value_or(0);
}

/// Whether there is nothing in it but what publishing has written, and the count of plain clients
/// that wait, which those who hang up leave there.
bool HasOnlyLock(const Hash& hash, int64_t now_ms) {
  size_t fields = 0;
  for (const std::string_view field :
       {session_field::kLock, session_field::kPid, session_field::kReq, session_field::kWait}) {
    if (hash.Find(field, now_ms)) ++fields;
  }
  return hash.size(now_ms) == fields;
}

/// A session's hash that is being changed. What it sets does not expire by itself.
class Editor {
 public:
  explicit Editor(const GuardedKey& key)
      : scope_(key.hold, key.db, key.key, key.hash, key.now_ms, /*random=*/nullptr,
               Writer::kSession),
        hash_(scope_, key.db.keyspace().encoding_limits()),
        now_ms_(key.now_ms) {}
  ~Editor() {
    if (changed_ > 0) scope_.Changed("hset", changed_);
    if (expires_) scope_.Changed("expire");
  }
  Editor(const Editor&) = delete;
  Editor& operator=(const Editor&) = delete;

  bool exists() const { return scope_.exists(); }
  bool OnlyPublished() const { return HasOnlyLock(hash_.view(), now_ms_); }
  void Delete() {
    scope_.Delete();
    scope_.Changed("del");
  }
  void Set(std::string_view field, std::string_view value) {
    const std::optional<ItemValue> old = hash_.view().Find(field, now_ms_);
    const bool stays = old && hash_.view().FieldExpiry(field, now_ms_) == kNever;
    if (stays && old->bytes == value) return;
    hash_.Set(field, value, now_ms_);
    ++changed_;
  }
  void Set(std::string_view field, int64_t number) {
    char digits[kMaxIntegerLength + 1];
    Set(field, std::string_view(digits, FormatInteger(number, digits)));
  }
  void SetExpiry(int64_t at_ms) {
    if (scope_.expire_at_ms() == at_ms) return;
    scope_.SetExpiry(at_ms);
    expires_ = true;
  }

 private:
  WriteScope scope_;
  MutableHash hash_;
  const int64_t now_ms_;
  int64_t changed_ = 0;
  bool expires_ = false;
};

bool HoldsAnotherType(const GuardedKey& key) {
  const Entry* const entry = PeekKey(key.hold, key.db, key.key, key.hash, key.now_ms);
  return entry != nullptr && entry->type() != ValueType::kHash;
}

}  // namespace

SessionContent ReadSession(const Entry* entry, int64_t now_ms) {
  if (entry == nullptr || entry->type() != ValueType::kHash) return {};
  const Hash hash(entry->encoding(), entry->payload());
  SessionContent content;
  content.hash = {.exists = true,
                  .lock = CountOf(hash, session_field::kLock, now_ms),
                  .writes = CountOf(hash, session_field::kWrites, now_ms),
                  .pid = TextOf(hash, session_field::kPid, now_ms),
                  .req = TextOf(hash, session_field::kReq, now_ms)};
  content.data = hash.Find(session_field::kData, now_ms);
  content.only_lock = HasOnlyLock(hash, now_ms);
  content.ttl_ms = entry->has_expiry() ? entry->expire_at_ms() - now_ms : -1;
  return content;
}

void WriteSession(const GuardedKey& key, const SessionCommit& commit) {
  const bool locked =
      ReadSession(PeekKey(key.hold, key.db, key.key, key.hash, key.now_ms), key.now_ms).hash.lock !=
      0;
  Editor editor(key);
  if (commit.data) editor.Set(session_field::kData, *commit.data);
  editor.Set(session_field::kWrites, commit.writes);
  editor.Set(session_field::kPid, commit.pid);
  if (locked) editor.Set(session_field::kLock, 0);
  if (commit.expire_at_ms) editor.SetExpiry(*commit.expire_at_ms);
}

void EditSession(const GuardedKey& key, const SessionEffects& effects, int64_t ttl_ms) {
  if (effects.edit == SessionHashEdit::kNone || HoldsAnotherType(key)) return;
  Editor editor(key);
  if (effects.edit == SessionHashEdit::kClear) {
    if (!editor.exists()) return;
    if (effects.pid.empty() && editor.OnlyPublished()) return editor.Delete();
    editor.Set(session_field::kLock, 0);
    if (!effects.pid.empty()) editor.Set(session_field::kPid, effects.pid);
    return;
  }
  const bool is_new = !editor.exists();
  editor.Set(session_field::kLock, kPublishedLock);
  editor.Set(session_field::kPid, effects.pid);
  editor.Set(session_field::kReq, effects.req);
  if (is_new) editor.SetExpiry(key.now_ms + ttl_ms);
}

}  // namespace cloakroom
