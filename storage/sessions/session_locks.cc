#include "storage/sessions/session_locks.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "storage/base/text_hash.h"
#include "storage/sessions/session_lock.h"

namespace cloakroom {
namespace {

/// An empty table of more slots gives them back.
constexpr size_t kSpareSlots = 64;

}  // namespace

struct SessionLocks::Record {
  Record(std::string_view its_key, FencedNotes& fenced) : key(its_key), lock(fenced) {}

  const std::string key;
  SessionLock lock;
  uint32_t bytes = 0;  ///< as counted in the table
  uint32_t uses = 0;
};

struct SessionLocks::RecordHash {
  using is_transparent = void;
  size_t operator()(std::string_view key) const { return HashText(key); }
  size_t operator()(const std::unique_ptr<Record>& record) const { return HashText(record->key); }
};

struct SessionLocks::RecordEqual {
  using is_transparent = void;
  static std::string_view Key(std::string_view key) { return key; }
  static std::string_view Key(const std::unique_ptr<Record>& record) { return record->key; }
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return Key(a) == Key(b);
  }
};

struct SessionLocks::Table {
  using Records = absl::flat_hash_set<std::unique_ptr<Record>, RecordHash, RecordEqual>;

  FencedNotes fenced;
  Records records;
  size_t bytes = 0;  ///< of the records

  /// Counts what has changed in the record; true if it is to go.
  bool Settle(Record& record);
  void Shrink();
};

// ---- a use

SessionLocks::Use::Use(Table* table, Record* record) : table_(table), record_(record) {
  if (record == nullptr) return;
  ++record->uses;
  head_ = record->lock.queue().head();
  deadline_ms_ = record->lock.NextDeadline();
}

SessionLocks::Use::Use(Use&& other) noexcept
    : table_(other.table_),
      record_(std::exchange(other.record_, nullptr)),
      head_(other.head_),
      deadline_ms_(other.deadline_ms_) {}

SessionLocks::Use::~Use() {
  if (record_ == nullptr) return;
  --record_->uses;
  if (!table_->Settle(*record_)) return;
  table_->records.erase(table_->records.find(std::string_view(record_->key)));
  table_->Shrink();
}

SessionLock& SessionLocks::Use::operator*() const { return record_->lock; }

SessionWaiter* SessionLocks::Use::NeedsTimer() const {
  SessionWaiter* const head = record_->lock.queue().head();
  const int64_t deadline_ms = record_->lock.NextDeadline();
  if (head == nullptr || deadline_ms == kNever) return nullptr;
  return head != head_ || deadline_ms < deadline_ms_ ? head : nullptr;
}

// ---- the table

bool SessionLocks::Table::Settle(Record& record) {
  if (record.uses > 0) return false;
  bytes -= record.bytes;
  if (record.lock.idle()) return true;
  record.bytes =
      static_cast<uint32_t>(sizeof(Record) + record.key.capacity() + record.lock.bytes());
  bytes += record.bytes;
  return false;
}

void SessionLocks::Table::Shrink() {
  if (records.empty() && records.capacity() > kSpareSlots) records = Records();
}

SessionLocks::SessionLocks() = default;
SessionLocks::~SessionLocks() = default;

size_t SessionLocks::size() const { return table_ == nullptr ? 0 : table_->records.size(); }

SessionLocks::Use SessionLocks::Find(std::string_view key) {
  if (table_ == nullptr) return {nullptr, nullptr};
  const auto found = table_->records.find(key);
  return {table_.get(), found == table_->records.end() ? nullptr : found->get()};
}

SessionLocks::Table& SessionLocks::MakeTable() {
  if (table_ == nullptr) table_ = std::make_unique<Table>();
  return *table_;
}

SessionLocks::Use SessionLocks::Get(std::string_view key) {
  MakeTable();
  auto found = table_->records.find(key);
  if (found == table_->records.end())
    found = table_->records.insert(std::make_unique<Record>(key, table_->fenced)).first;
  return {table_.get(), found->get()};
}

CommitCase SessionLocks::Decide(std::string_view key, const CommitRequest& request,
                                const SessionHash& hash) {
  if (table_ == nullptr) return DecideCommit(request, /*holder_fence=*/0, hash, /*spent=*/false);
  const Use lock = Find(key);
  const CommitCase which =
      lock ? lock->Decide(request, hash)
           : DecideCommit(request, /*holder_fence=*/0, hash, table_->fenced.Spent(request.fence));
  const bool makes = which == CommitCase::kLate && request.fence != 0 && !hash.exists;
  return makes && table_->fenced.Destroyed(key, request.fence) ? CommitCase::kFenced : which;
}

void SessionLocks::NoteSpent(int64_t fence, int64_t now_ms) {
  MakeTable().fenced.NoteSpent(fence, now_ms);
}

void SessionLocks::NoteDestroyed(std::string_view key, int64_t last, int64_t now_ms) {
  MakeTable().fenced.NoteDestroyed(key, last, now_ms);
}

void SessionLocks::ForEach(absl::FunctionRef<void(std::string_view, Use&)> visit) {
  if (table_ == nullptr) return;
  for (auto at = table_->records.begin(); at != table_->records.end();) {
    Record& record = **at;
    // While it is in use twice, the visitor's use does not erase it.
    ++record.uses;
    {
      Use use(table_.get(), &record);
      visit(record.key, use);
    }
    --record.uses;
    const auto present = at++;
    if (table_->Settle(record)) table_->records.erase(present);
  }
  table_->Shrink();
}

void SessionLocks::Sweep(int64_t now_ms) {
  ForEach([now_ms](std::string_view, Use& use) { use->Forget(now_ms); });
  if (table_ != nullptr) table_->fenced.Forget(now_ms);
}

size_t SessionLocks::bytes() const {
  if (table_ == nullptr) return 0;
  // A slot has a control byte besides.
  const size_t slots = table_->records.capacity() * (sizeof(Table::Records::value_type) + 1);
  return sizeof(Table) + slots + table_->bytes + table_->fenced.bytes();
}

}  // namespace cloakroom
