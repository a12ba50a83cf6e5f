#include "storage/access/write_scope.h"

#include <algorithm>

#include "storage/keyspace/access_clock.h"
#include "storage/keyspace/keyspace.h"
#include "storage/keyspace/reclaimer.h"
#include "storage/snapshot/snapshot.h"
#include "storage/values/string_value.h"

namespace cloakroom {
namespace {

uint32_t FirstAccess(Keyspace& keyspace, int64_t now_ms) {
  const StorageSettings& settings = keyspace.settings();
  if (now_ms == kNothingExpiresMs) [[unlikely]]
    now_ms = keyspace.clock().NowMs();
  return UsesLfu(settings.policy) ? access_clock::LfuNew(now_ms) : access_clock::LruAt(now_ms);
}

/// Adds or subtracts one. Only one thread at a time may call it.
void Count(std::atomic<size_t>& counter, bool up) {
  size_t count = counter.load(std::memory_order_relaxed);
  counter.store(up ? count + 1 : count - 1, std::memory_order_relaxed);
}

}  // namespace

WriteScope::WriteScope(Hold& hold, Database& db, std::string_view key, KeyHash hash, int64_t now_ms,
                       absl::InsecureBitGen* random, Writer writer)
    : hold_(hold),
      db_(db),
      stripe_(db.StripeOf(hash)),
      key_(key),
      hash_(hash),
      now_ms_(now_ms),
      guard_(AskGuard(writer)),
      writer_(writer) {
  AssertHeld(stripe_);
  if (const uint8_t wants = db.keyspace().feed().wants(); wants != ChangeConsumer::kNothing) {
    ChangeBatch* batch = hold.changes();
    if (batch == nullptr) batch = &own_changes_.emplace();
    if ((wants & ChangeConsumer::kResults) != 0) changes_ = batch;
    if ((wants & ChangeConsumer::kEvents) != 0) events_ = batch;
  }
  slot_ = stripe_.table.Find(key, hash);
  if (slot_ == nullptr) return;
  existed_ = true;
  had_expiry_ = (*slot_)->has_expiry();
  item_counter_ = stripe_.CounterOf(**slot_);
  Snapshot& snapshot = db.keyspace().snapshot();
  const bool expired = (*slot_)->expired(now_ms);
  if ((*slot_)->epoch() != snapshot.epoch()) [[unlikely]] {
    expired ? snapshot.LeaveOut(db, hash, *slot_) : snapshot.KeepPreImage(db, hash, *slot_);
  }
  if (expired) [[unlikely]] {
    set_by_time(true);
    Delete();
    set_by_time(false);
    db_.keyspace().counters().expired.fetch_add(1, std::memory_order_relaxed);
    Signal("expired", 1);
  } else if (random != nullptr) {
    db_.NoteAccess(**slot_, now_ms, *random);
  }
}

WriteScope::~WriteScope() {
  if (touched_) Settle();
  if (guard_ != nullptr && touched_) [[unlikely]]
    TellGuard();
  if (hold_.alone()) [[unlikely]]
    hold_.HandAlone(db_, stripe_, own_changes_ ? &*own_changes_ : nullptr);
}

/// Before the entry is found: the guard may change the key.
KeyGuard* WriteScope::AskGuard(Writer writer) {
  AssertHeld(stripe_);
  if (stripe_.sessions.empty() || writer == Writer::kSession) [[likely]]
    return nullptr;
  KeyGuard* const guard = db_.keyspace().key_guard();
  if (guard == nullptr || writer == Writer::kServer) return guard;
  return guard->BeforeWrite(place()) ? guard : nullptr;
}

void WriteScope::TellGuard() {
  using Fate = KeyGuard::Fate;
  if (writer_ == Writer::kClient) {
    guard_->AfterWrite(place(), removed_ ? Fate::kReplaced : Fate::kWritten);
  } else if (removed_) {
    guard_->AfterWrite(place(), Fate::kExpired);
  }
}

void WriteScope::Signal(KeyEvent event, int64_t count) {
  AssertHeld(stripe_);
  if (!stripe_.interests.empty()) [[unlikely]] {
    stripe_.interests.SignalWatchers(key_, /*gone=*/!exists());
    hold_.NoteReady(db_, key_, hash_);
  }
  Note(event, count, /*modified=*/true);
}

void WriteScope::ChangedUnwatched(KeyEvent event, int64_t count) {
  Note(event, count, /*modified=*/false);
}

void WriteScope::Note(KeyEvent event, int64_t count, bool modified) {
  AssertHeld(stripe_);
  touched_ = true;
  stripe_.changes.store(stripe_.changes.load(std::memory_order_relaxed) + count,
                        std::memory_order_relaxed);
  if (events_ != nullptr && !event.empty()) [[unlikely]]
    events_->AddEvent({.db = db_.index(), .name = event, .key = key_, .modified = modified});
}

void WriteScope::Changed(KeyEvent event, int64_t count) { Signal(event, count); }

void WriteScope::Settle() {
  AssertHeld(stripe_);
  bool exists = slot_ != nullptr;
  bool has_expiry = exists && (*slot_)->has_expiry();
  if (exists) {
    const int64_t due = (*slot_)->UpdateDue();
    if (due != kNever) stripe_.table.NoteDue(hash_, due);
  }
  if (exists != existed_) stripe_.keys.store(stripe_.table.size(), std::memory_order_relaxed);
  if (has_expiry != had_expiry_) Count(stripe_.expires, has_expiry);
  std::atomic<size_t>* const item_counter = exists ? stripe_.CounterOf(**slot_) : nullptr;
  if (item_counter != item_counter_) [[unlikely]] {
    if (item_counter_ != nullptr) Count(*item_counter_, false);
    if (item_counter != nullptr) Count(*item_counter, true);
  }
  if (changes_ != nullptr && exists) LogOutcome();
}

void WriteScope::SetExpiry(int64_t expire_at_ms) {
  touched_ = true;
  if ((*slot_)->expire_at_ms() == expire_at_ms) return;
  expiry_set_ = true;
  *slot_ = Entry::WithExpiry(*slot_, expire_at_ms);
}

void WriteScope::Delete() {
  Log(ChangeKind::kRemoveKey, {key_});
  first_byte_ = SIZE_MAX;
  expiry_set_ = false;
  db_.keyspace().reclaimer().Drop(Detach());
}

char* WriteScope::Overwrite(ValueType new_type, Encoding new_encoding, size_t payload_size,
                            int64_t expire_at_ms) {
  LogBytes(0, kWholeString);
  removed_ = true;
  Reclaimer& reclaimer = db_.keyspace().reclaimer();
  const bool expires = expire_at_ms != kNoExpiry;
  if (slot_ != nullptr && type() == new_type && (*slot_)->has_expiry() == expires) {
    touched_ = true;
    Entry* entry = *slot_;
    reclaimer.DropValue(entry->value());
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
    entry->set_access(FirstAccess(db_.keyspace(), now_ms_));
    PlaceNew(entry);
  } else {
    touched_ = true;
    entry->set_access((*slot_)->access());
    entry->set_epoch(db_.keyspace().snapshot().epoch());
    reclaimer.Drop(*slot_);
    *slot_ = entry;
  }
  return entry->mutable_payload();
}

Entry* WriteScope::Detach() {
  AssertHeld(stripe_);
  touched_ = true;
  removed_ = true;
  Entry* entry = stripe_.table.Erase(slot_, hash_);
  slot_ = nullptr;
  return entry;
}

void WriteScope::Remove() { Entry::Destroy(Detach()); }

void WriteScope::Place(Entry* entry) {
  AssertHeld(stripe_);
  touched_ = true;
  entry->set_epoch(db_.keyspace().snapshot().epoch());
  slot_ = stripe_.table.Insert(entry, hash_);
}

void WriteScope::PlaceNew(Entry* entry) {
  Place(entry);
  if (events_ != nullptr && (db_.keyspace().feed().wants() & ChangeConsumer::kNewKeys) != 0)
    events_->AddEvent({.db = db_.index(), .name = "new", .key = key_, .modified = false});
}

void WriteScope::Create(ValueType type, Encoding encoding) {
  Entry* entry = Entry::Create(key_, kNoExpiry, type, encoding, 0);
  entry->set_access(FirstAccess(db_.keyspace(), now_ms_));
  PlaceNew(entry);
}

void WriteScope::Adopt(const Entry& model, std::string_view payload, int64_t expire_at_ms) {
  const bool replaces = exists();
  if (replaces) db_.keyspace().reclaimer().Drop(Detach());
  Entry* entry = Entry::Create(key_, expire_at_ms, model.type(), model.encoding(), payload.size());
  entry->set_outgrown(model.outgrown());
  entry->set_access(model.access());
  std::copy(payload.begin(), payload.end(), entry->mutable_payload());
  replaces ? Place(entry) : PlaceNew(entry);
}

void WriteScope::Log(ChangeKind kind, std::initializer_list<std::string_view> words,
                     int64_t number) {
  if (changes_ == nullptr) return;
  changes_->Add(db_.index(), kind, words, number);
  if (!by_time_) changes_->NoteAwaited();
}

void WriteScope::LogItem(ChangeKind kind, std::initializer_list<std::string_view> items,
                         int64_t number) {
  LogItems(kind, std::span<const std::string_view>(items.begin(), items.size()), number);
}

void WriteScope::LogItems(ChangeKind kind, std::span<const std::string_view> items,
                          int64_t number) {
  if (changes_ == nullptr) return;
  changes_->AddItem(db_.index(), kind, key_, items, number);
  if (!by_time_) changes_->NoteAwaited();
}

void WriteScope::LogBytes(size_t first, size_t last) {
  first_byte_ = std::min(first_byte_, first);
  last_byte_ = std::max(last_byte_, last);
}

void WriteScope::LogAs(int db, std::span<const std::string_view> words) {
  if (changes_ != nullptr) {
    changes_->Add(db, ChangeKind::kCommand, words);
    changes_->NoteAwaited();
  }
  changes_ = nullptr;
}

void WriteScope::LogOutcome() {
  const int64_t expire_at_ms = (*slot_)->expire_at_ms();
  if (first_byte_ != SIZE_MAX) LogString(expire_at_ms);
  const bool said = first_byte_ != SIZE_MAX && last_byte_ == kWholeString;
  if (expiry_set_ && !said) Log(ChangeKind::kSetExpiry, {key_}, expire_at_ms);
}

void WriteScope::LogString(int64_t expire_at_ms) {
  const StringView string(encoding(), (*slot_)->payload());
  if (last_byte_ == kWholeString) {
    const bool raw = (*slot_)->outgrown() && string.size() > 0;
    return Log(raw ? ChangeKind::kSetRawString : ChangeKind::kSetString, {key_, string.bytes()},
               expire_at_ms);
  }
  const size_t last = std::min(last_byte_, string.size());
  if (first_byte_ < last) {
    return Log(ChangeKind::kSetRange,
               {key_, string.bytes().substr(first_byte_, last - first_byte_)},
               static_cast<int64_t>(first_byte_));
  }
  // Nothing was appended, but an integer has become raw.
  Log(ChangeKind::kMakeRaw, {key_});
}

char* WriteScope::Splice(size_t offset, size_t erase, size_t insert) {
  touched_ = true;
  *slot_ = Entry::WithPayloadSpliced(*slot_, offset, erase, insert);
  return (*slot_)->mutable_payload() + offset;
}

}  // namespace cloakroom
