#ifndef CLOAKROOM_STORAGE_ACCESS_WRITE_SCOPE_H_
#define CLOAKROOM_STORAGE_ACCESS_WRITE_SCOPE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "absl/random/random.h"
#include "storage/changes/change.h"
#include "storage/keyspace/database.h"
#include "storage/keyspace/entry.h"
#include "storage/keyspace/hold.h"
#include "storage/keyspace/key_guard.h"
#include "storage/values/value.h"

namespace cloakroom {

/// On whose behalf a scope changes its key. A session's lock (KeyGuard) is told.
enum class Writer : uint8_t {
  kClient,   ///< a command's
  kServer,   ///< time's: expiry, eviction
  kSession,  ///< the lock's own, and that of the commands on sessions, which tell it themselves
};

/// The only way to change a key. Finds the entry (first removes one that has expired, with
/// everything that an expiry entails) and lets the value classes change it as a ValueSlot. The
/// destructor then settles everything that a change entails: expiry index, counters, WATCH,
/// keyspace events, client tracking, the pre-image for a snapshot and the log.
///
/// A command reports each change with Changed(). A scope without changes leaves no trace.
///
/// Thread rule: for as long as the scope lives, `hold` has the key's stripe or closes its gate, or
/// it has a pass and the caller has locked the stripe. One scope per key at a time. `key` must
/// outlive it.
class WriteScope final : public ValueSlot {
 public:
  /// Adds the changes to those of `hold`; if that is a pass alone, the changes are a batch of their
  /// own. `random`: record the access for eviction (Database::NoteAccess); null: do not.
  WriteScope(Hold& hold, Database& db, std::string_view key, KeyHash hash, int64_t now_ms,
             absl::InsecureBitGen* random = nullptr, Writer writer = Writer::kClient);
  ~WriteScope() override;
  WriteScope(const WriteScope&) = delete;
  WriteScope& operator=(const WriteScope&) = delete;

  const Database& db() const { return db_; }
  std::string_view key() const { return key_; }
  int64_t now_ms() const { return now_ms_; }
  const Entry* entry() const { return slot_ == nullptr ? nullptr : *slot_; }

  /// Reports that the key was changed in the way that `event` names. `count`: how many of its items
  /// changed, for the save points. An empty event is one of which Redis tells nobody. May be called
  /// more than once.
  void Changed(KeyEvent event, int64_t count = 1);
  /// The same for a change of which Redis tells neither WATCH, client tracking nor blocked
  /// requests: one of a stream's consumer groups. An event without a name is no event.
  void ChangedUnwatched(KeyEvent event, int64_t count = 1);

  /// kNoExpiry removes it. REQUIRES: exists().
  void SetExpiry(int64_t expire_at_ms);
  int64_t expire_at_ms() const { return (*slot_)->expire_at_ms(); }

  /// Removes the entry with everything that its value holds; the reclaimer frees large values.
  /// REQUIRES: exists().
  void Delete();
  /// Replaces what the key holds, of any type, by a value with this payload size and expiry, and
  /// returns the uninitialised payload. Allocates at most once, and not at all if the old entry has
  /// room. The entry takes over what the payload bytes point to.
  char* Overwrite(ValueType type, Encoding encoding, size_t payload_size, int64_t expire_at_ms);
  /// Takes the entry out of the keyspace, for RENAME and MOVE. The caller owns it.
  /// REQUIRES: exists().
  Entry* Detach();
  /// Makes a new entry that replaces what the key holds, with the labels and the access of `model`.
  /// It takes over the references of the payload (from Detach or CopyPayload). The caller must log
  /// the change with LogAs.
  void Adopt(const Entry& model, std::string_view payload, int64_t expire_at_ms);

  /// Logs all further changes of this scope as one command in database `db`: see
  /// ChangeKind::kCommand. Run in the same state, the command must
  /// always give the same result. For keys that it only reads see Database::KeepForLog.
  void LogAs(int db, std::span<const std::string_view> words);
  /// While this is set, the changes are those that time makes: no reply waits until they are in the
  /// log, since they happen again after a restart.
  void set_by_time(bool by_time) { by_time_ = by_time; }

  // ValueSlot.
  char* data() override { return (*slot_)->mutable_payload(); }
  size_t size() const override { return (*slot_)->payload().size(); }
  char* Splice(size_t offset, size_t erase, size_t insert) override;
  bool exists() const override { return slot_ != nullptr; }
  ValueType type() const override { return (*slot_)->type(); }
  Encoding encoding() const override { return (*slot_)->encoding(); }
  bool outgrown() const override { return (*slot_)->outgrown(); }
  void set_outgrown(bool outgrown) override { (*slot_)->set_outgrown(outgrown); }
  void Create(ValueType type, Encoding encoding) override;
  void set_encoding(Encoding encoding) override { (*slot_)->set_encoding(encoding); }
  void Remove() override;
  bool logged() const override { return changes_ != nullptr; }
  void LogItem(ChangeKind kind, std::initializer_list<std::string_view> items,
               int64_t number) override;
  void LogItems(ChangeKind kind, std::span<const std::string_view> items, int64_t number) override;
  void LogBytes(size_t first, size_t last) override;

 private:
  /// What the guard is told after a change; null: it is told nothing.
  KeyGuard* AskGuard(Writer writer);
  void TellGuard();
  GuardedKey place() const { return {hold_, db_, key_, hash_, now_ms_}; }
  void Place(Entry* entry);
  /// The same for a key that comes into being.
  void PlaceNew(Entry* entry);
  void Signal(KeyEvent event, int64_t count);
  void Note(KeyEvent event, int64_t count, bool modified);
  void Settle();
  void Log(ChangeKind kind, std::initializer_list<std::string_view> words, int64_t number = 0);
  /// Logs what only Settle knows: the bytes of a string, the expiry.
  void LogOutcome();
  void LogString(int64_t expire_at_ms);

  Hold& hold_;
  Database& db_;
  Stripe& stripe_;
  const std::string_view key_;
  const KeyHash hash_;
  const int64_t now_ms_;
  Entry** slot_ = nullptr;
  bool existed_ = false;                         ///< when the scope began
  bool had_expiry_ = false;                      ///< when the scope began
  std::atomic<size_t>* item_counter_ = nullptr;  ///< Stripe::CounterOf, before the change
  bool touched_ = false;  ///< the table or the entry was changed, whether or not it counts
  KeyGuard* const guard_;
  const Writer writer_;
  bool removed_ = false;  ///< or replaced

  ChangeBatch* events_ = nullptr;  ///< null: nobody wants them
  // For the log of changes.
  ChangeBatch* changes_ = nullptr;  ///< null: nobody wants them, or LogAs has logged them all
  size_t first_byte_ = SIZE_MAX;    ///< of a string: the first byte that may have changed ...
  size_t last_byte_ = 0;            ///< ... and the end of the last one
  bool expiry_set_ = false;
  bool by_time_ = false;
  std::optional<ChangeBatch> own_changes_;  ///< if the hold is a pass alone
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_ACCESS_WRITE_SCOPE_H_
