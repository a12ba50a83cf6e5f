#include "storage/write_scope.h"

#include <algorithm>

#include "storage/access_clock.h"
#include "storage/hash.h"
#include "storage/keyspace.h"

namespace cloakroom {
namespace {

uint32_t FirstAccess(const StorageSettings& settings, int64_t now_ms) {
  return UsesLfu(settings.policy.load(std::memory_order_relaxed)) ? access_clock::LfuNew(now_ms)
                                                                  : access_clock::LruAt(now_ms);
}

/// When the expirer has to look at the entry: its own expiry or that of its first field.
int64_t FirstDue(Entry& entry) {
  int64_t due = entry.expire_at_ms();
  if (entry.type() != ValueType::kHash) return due;
  int64_t field = Hash(entry.encoding(), entry.payload()).NextExpiry();
  entry.set_has_field_expiry(field != kNoFieldExpiry);
  if (field == kNoFieldExpiry) return due;
  return due == kNoExpiry ? field : std::min(due, field);
}

}  // namespace

WriteScope::WriteScope(Database& db, std::string_view key, KeyHash hash, int64_t now_ms,
                       absl::InsecureBitGen* random)
    : db_(db), stripe_(db.StripeOf(hash)), key_(key), hash_(hash), now_ms_(now_ms) {
  AssertHeld(stripe_);
  slot_ = stripe_.table.Find(key, hash);
  if (slot_ == nullptr) return;
  existed_ = true;
  had_expiry_ = (*slot_)->has_expiry();
  if ((*slot_)->expired(now_ms)) [[unlikely]] {
    db_.keyspace().reclaimer().Drop(Detach());
    db_.keyspace().counters().expired.fetch_add(1, std::memory_order_relaxed);
    Signal("expired", /*by_expiry=*/true);
  } else if (random != nullptr) {
    db_.NoteAccess(**slot_, now_ms, *random);
  }
}

WriteScope::~WriteScope() {
  if (touched_) Settle();
}

void WriteScope::Signal(KeyEvent event, bool by_expiry) {
  AssertHeld(stripe_);
  touched_ = true;
  db_.keyspace().counters().changes.fetch_add(1, std::memory_order_relaxed);
  if (!stripe_.watches.empty()) stripe_.watches.Signal(key_, by_expiry);
  if (KeyspaceObserver* observer = db_.keyspace().observer()) {
    observer->OnKeyEvent(db_.index(), key_, event);
  }
}

void WriteScope::Changed(KeyEvent event) { Signal(event, /*by_expiry=*/false); }

void WriteScope::Settle() {
  AssertHeld(stripe_);
  bool exists = slot_ != nullptr;
  bool has_expiry = exists && (*slot_)->has_expiry();
  if (exists) {
    int64_t due = FirstDue(**slot_);
    if (due != kNoExpiry) stripe_.table.NoteDue(hash_, due);
  }
  if (exists != existed_) stripe_.keys.store(stripe_.table.size(), std::memory_order_relaxed);
  if (has_expiry != had_expiry_) {
    size_t expires = stripe_.expires.load(std::memory_order_relaxed);
    stripe_.expires.store(has_expiry ? expires + 1 : expires - 1, std::memory_order_relaxed);
  }
}

void WriteScope::SetExpiry(int64_t expire_at_ms) {
  touched_ = true;
  *slot_ = Entry::WithExpiry(*slot_, expire_at_ms);
}

void WriteScope::Delete() { db_.keyspace().reclaimer().Drop(Detach()); }

char* WriteScope::Overwrite(ValueType new_type, Encoding new_encoding, size_t payload_size,
                            int64_t expire_at_ms) {
  Reclaimer& reclaimer = db_.keyspace().reclaimer();
  const bool expires = expire_at_ms != kNoExpiry;
  if (slot_ != nullptr && type() == new_type && (*slot_)->has_expiry() == expires) {
    touched_ = true;
    Entry* entry = *slot_;
    reclaimer.DropValue(new_type, entry->encoding(), entry->payload());
    const size_t old_size = entry->payload().size();
    if (old_size != payload_size) {
      entry = Entry::WithPayloadSpliced(entry, 0, old_size, payload_size);
    }
    entry->set_encoding(new_encoding);
    entry->set_outgrown(false);
    *slot_ = Entry::WithExpiry(entry, expire_at_ms);
    return (*slot_)->mutable_payload();
  }
  Entry* entry = Entry::Create(key_, expire_at_ms, new_type, new_encoding, payload_size);
  if (slot_ == nullptr) {
    entry->set_access(FirstAccess(db_.keyspace().settings(), now_ms_));
    Place(entry);
  } else {
    touched_ = true;
    entry->set_access((*slot_)->access());
    reclaimer.Drop(*slot_);
    *slot_ = entry;
  }
  return entry->mutable_payload();
}

Entry* WriteScope::Detach() {
  AssertHeld(stripe_);
  touched_ = true;
  Entry* entry = stripe_.table.Erase(slot_, hash_);
  slot_ = nullptr;
  return entry;
}

void WriteScope::Remove() { Entry::Destroy(Detach()); }

void WriteScope::Place(Entry* entry) {
  AssertHeld(stripe_);
  touched_ = true;
  slot_ = stripe_.table.Insert(entry, hash_);
}

void WriteScope::Create(ValueType type, Encoding encoding) {
  Entry* entry = Entry::Create(key_, kNoExpiry, type, encoding, 0);
  entry->set_access(FirstAccess(db_.keyspace().settings(), now_ms_));
  Place(entry);
}

void WriteScope::Adopt(const Entry& model, std::string_view payload, int64_t expire_at_ms) {
  Entry* entry = Entry::Create(key_, expire_at_ms, model.type(), model.encoding(), payload.size());
  entry->set_outgrown(model.outgrown());
  entry->set_access(model.access());
  std::copy(payload.begin(), payload.end(), entry->mutable_payload());
  Place(entry);
}

char* WriteScope::Splice(size_t offset, size_t erase, size_t insert) {
  touched_ = true;
  *slot_ = Entry::WithPayloadSpliced(*slot_, offset, erase, insert);
  return (*slot_)->mutable_payload() + offset;
}

}  // namespace cloakroom
