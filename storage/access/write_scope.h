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
#include "storage/values/value.h"

namespace cloakroom {

/// The only way to change a key. It finds the entry (one that has expired is removed first, with
/// all that an expiry entails), lets the value classes change it as a ValueSlot, and on leaving
/// settles everything that a change entails: expiry index, counters, WATCH, keyspace events, the
/// pre-image for a snapshot and the log of changes; client tracking when it comes.
///
/// A command states what it did with Changed(); a scope in which nothing changed leaves no trace.
///
/// Thread rule: `hold` has the key's stripe, or closes its gate, for as long as the scope lives; or
/// it has a pass and the caller has locked the stripe. One scope per key at a time. `key` must
/// outlive it.
class WriteScope final : public ValueSlot {
 public:
  /// Changes are added to those of `hold`, or, where that is a pass alone, stand for themselves.
  /// `random`: opening the key is an access to be noted for eviction (Database::NoteAccess); null
  /// for the server's own work, expiry and eviction.
  WriteScope(Hold& hold, Database& db, std::string_view key, KeyHash hash, int64_t now_ms,
             absl::InsecureBitGen* random = nullptr);
  ~WriteScope() override;
  WriteScope(const WriteScope&) = delete;
  WriteScope& operator=(const WriteScope&) = delete;

  std::string_view key() const { return key_; }
  int64_t now_ms() const { return now_ms_; }
  const Entry* entry() const { return slot_ == nullptr ? nullptr : *slot_; }

  /// The key was changed, in the way that `event` names; `count`: so many items of it, for the
  /// save points. May be called more than once.
  void Changed(KeyEvent event, int64_t count = 1);

  /// kNoExpiry removes it. REQUIRES: exists().
  void SetExpiry(int64_t expire_at_ms);
  int64_t expire_at_ms() const { return (*slot_)->expire_at_ms(); }

  /// Removes the entry with all that its value holds; what is large is freed elsewhere.
  /// REQUIRES: exists().
  void Delete();
  /// Replaces whatever the key holds, of any type, by a value with this payload size and expiry,
  /// and returns its payload, which is undefined. Allocates at most once, and not at all where the
  /// old entry has the room. Payload bytes that point to something become the entry's own.
  char* Overwrite(ValueType type, Encoding encoding, size_t payload_size, int64_t expire_at_ms);
  /// Takes the entry out of the keyspace, for RENAME and MOVE. The caller owns it.
  /// REQUIRES: exists().
  Entry* Detach();
  /// Makes a new entry for the key, in place of what it holds: labels and access as those of
  /// `model`, and a payload whose references become this entry's own (from Detach, or from
  /// CopyPayload). What came to pass must be said with LogAs.
  void Adopt(const Entry& model, std::string_view payload, int64_t expire_at_ms);

  /// Logs the changes of this scope, from here on, as one command in a database: where they would
  /// be long, as RENAME of a large value, or a union that is stored. In the same state, it must
  /// always come to the same. Keys that it only reads: see Database::KeepForLog.
  void LogAs(int db, std::span<const std::string_view> words);
  /// While it is set, changes are those that time makes: nobody has to wait until the log has them,
  /// since they come to pass after a restart all the same.
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
  void LogBytes(size_t first, size_t last) override;

 private:
  void Place(Entry* entry);
  void Signal(KeyEvent event, bool by_expiry, int64_t count);
  void Settle();
  void Log(ChangeKind kind, std::initializer_list<std::string_view> words, int64_t number = 0);
  /// What Settle can tell only when all is over: the bytes of a string, the expiry.
  void LogOutcome();
  void LogString(int64_t expire_at_ms);

  Hold& hold_;
  Database& db_;
  Stripe& stripe_;
  const std::string_view key_;
  const KeyHash hash_;
  const int64_t now_ms_;
  Entry** slot_ = nullptr;
  bool existed_ = false;     ///< when the scope began
  bool had_expiry_ = false;  ///< when the scope began
  bool had_field_expiry_ = false;
  bool touched_ = false;  ///< the table or the entry was changed, whether or not it counts

  ChangeBatch* events_ = nullptr;  ///< null: nobody wants them
  // For the log of changes.
  ChangeBatch* changes_ = nullptr;  ///< null: nobody wants them, or LogAs has said it all
  size_t first_byte_ = SIZE_MAX;    ///< of a string, from here ...
  size_t last_byte_ = 0;            ///< ... up to here, bytes are not what they were
  bool expiry_set_ = false;
  bool by_time_ = false;
  std::optional<ChangeBatch> own_changes_;  ///< where the thread holds only this stripe
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_ACCESS_WRITE_SCOPE_H_
