#include "storage/snapshot/snapshot.h"

#include <cassert>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "storage/keyspace/hold.h"
#include "storage/keyspace/keyspace.h"
#include "storage/keyspace/reclaimer.h"

namespace cloakroom {
namespace {

/// Entries to copy in one hold of a stripe: some microseconds' worth. A bucket is copied whole.
constexpr size_t kEntriesPerHold = 24;
constexpr size_t kBytesPerHold = 64 * 1024;
/// Buckets to look at in one hold if all entries are newer already.
constexpr int kBucketsPerHold = 32;
/// A batch of this size is full.
constexpr size_t kBatchBytes = 64 * 1024;

/// How long Begin sleeps before it checks again whether a gate is open.
constexpr std::chrono::milliseconds kLookAgain{1};

}  // namespace

Snapshot::~Snapshot() {
  if (loose_) keyspace_.reclaimer().DropTable(std::move(loose_->table));
  MutexLock lock(mutex_);
  for (auto& loose : loose_tables_) keyspace_.reclaimer().DropTable(std::move(loose->table));
}

std::optional<Snapshot::Facts> Snapshot::Begin(const Options& options,
                                               absl::FunctionRef<void()> at_instant,
                                               absl::FunctionRef<bool()> give_up) {
  gates_closed_ = options.gates_closed;
  if (!EndCancelledWalk(give_up)) return std::nullopt;
  assert(loose_ == nullptr && loose_count_ == 0);
  Hold hold(keyspace_.background_slot());
  if (!gates_closed_ && !hold.WaitAndClose(keyspace_.databases(), give_up)) return std::nullopt;
  Facts facts;
  for (int i = 0; i < keyspace_.database_count(); ++i) {
    Database& db = keyspace_.db(i);
    db.set_snapshot_number(i);
    facts.keys += db.size();
    facts.field_expiry = facts.field_expiry || db.has_field_expiry();
  }
  progress_.assign(static_cast<size_t>(keyspace_.database_count()), {});
  unwalked_ = progress_.size();
  at_ = 0;
  walked_ = 0;
  keys_total_ = facts.keys;
  keys_done_ = 0;
  failure_ = Failure::kNone;
  exact_ = true;
  log_follows_ = options.log_follows;
  pre_images_.Open(options.max_pre_image_bytes);
  wanted_ = true;
  active_ = true;
  epoch_ = !epoch_;
  at_instant();
  return facts;
}

bool Snapshot::EndCancelledWalk(absl::FunctionRef<bool()> give_up) {
  SnapshotBatch none;
  while (active()) {
    if (Next(&none) != Step::kBusy) continue;
    // Waits for the thread that has closed a gate: Begin could not do without that gate either.
    if (give_up()) return false;
    std::this_thread::sleep_for(kLookAgain);
  }
  return true;
}

Snapshot::Step Snapshot::Next(SnapshotBatch* batch) {
  batch->Clear();
  while (true) {
    Step step = Step::kGave;
    // Pre-images first, since they take memory.
    if (!pre_images_.Take(batch, kBatchBytes) && !WalkLooseTables(batch)) {
      step = WalkKeyspace(batch);
    }
    if (step == Step::kGave) keys_done_.fetch_add(batch->count(), std::memory_order_relaxed);
    if (step != Step::kEnd) return step;
    if (Finished()) return Step::kEnd;
  }
}

void Snapshot::Cancel() {
  if (!active()) return;
  wanted_ = false;
  pre_images_.Close();
  DropLooseTables();
  if (loose_) keyspace_.reclaimer().DropTable(std::move(std::exchange(loose_, nullptr)->table));
  SnapshotBatch none;
  while (Next(&none) == Step::kGave) {
  }
}

bool Snapshot::WalkLooseTables(SnapshotBatch* batch) {
  while (batch->empty()) {
    if (loose_ == nullptr) {
      MutexLock lock(mutex_);
      if (loose_tables_.empty()) return false;
      loose_ = std::move(loose_tables_.front());
      loose_tables_.pop_front();
      --loose_count_;
    }
    do {
      loose_->position = WalkTable(loose_->table, loose_->db, loose_->position, batch);
    } while (loose_->position != 0 && batch->retained_bytes() < kBatchBytes);
    if (loose_->position != 0) continue;
    keyspace_.reclaimer().DropTable(std::move(loose_->table));
    loose_.reset();
  }
  return true;
}

Snapshot::Step Snapshot::WalkKeyspace(SnapshotBatch* batch) {
  // Consecutive databases in which there was nothing to walk for now.
  for (int idle = 0; unwalked_ > 0 && idle < keyspace_.database_count();) {
    if (WalkDatabase(keyspace_.db(at_), batch)) {
      idle = 0;
    } else {
      ++idle;
      at_ = (at_ + 1) % keyspace_.database_count();
    }
    if (batch->retained_bytes() >= kBatchBytes) break;
  }
  if (!batch->empty()) return Step::kGave;
  return unwalked_ > 0 ? Step::kBusy : Step::kEnd;
}

bool Snapshot::WalkDatabase(Database& db, SnapshotBatch* batch) {
  Hold hold(keyspace_.background_slot());
  if (!gates_closed_ && !hold.TryPass(db)) return false;
  // Not sooner: the database's contents change with the gate closed.
  const int number = db.snapshot_number();
  Progress& progress = progress_[static_cast<size_t>(number)];
  if (progress.stripe == Database::kStripes) return false;
  // An empty stripe has no older entries, and needs no hold.
  while (progress.stripe < Database::kStripes && db.stripe(progress.stripe).keys == 0) {
    progress = {.stripe = progress.stripe + 1};
  }
  if (progress.stripe < Database::kStripes &&
      !WalkStripe(db.stripe(progress.stripe), number, &progress.position, batch)) {
    progress = {.stripe = progress.stripe + 1};
  }
  if (progress.stripe == Database::kStripes) --unwalked_;
  return true;
}

bool Snapshot::WalkStripe(Stripe& stripe, int db, uint64_t* position, SnapshotBatch* batch) {
  MutexLock lock(stripe.mutex);
  size_t entries = batch->count() + kEntriesPerHold;
  size_t bytes = batch->retained_bytes() + kBytesPerHold;
  for (int buckets = 0; buckets < kBucketsPerHold; ++buckets) {
    *position = WalkTable(stripe.table, db, *position, batch);
    if (*position == 0) return false;
    if (batch->count() >= entries || batch->retained_bytes() >= bytes) break;
  }
  return true;
}

uint64_t Snapshot::WalkTable(Table& table, int db, uint64_t position, SnapshotBatch* batch) {
  return table.Scan(position, [&](Entry* entry) {
    if (entry->epoch() == epoch_) return;
    entry->set_epoch(epoch_);
    ++walked_;
    if (wanted()) batch->Add(db, *entry);
  });
}

bool Snapshot::Finished() {
  // No table has older entries, so only these can still come.
  if (!pre_images_.empty() || loose_count_ > 0) return false;
  if (wanted() && exact_ && walked_ + pre_images_.settled() != keys_total()) {
    Fail(Failure::kIncomplete);
  }
  wanted_ = false;
  pre_images_.Close();
  active_ = false;
  return true;
}

void Snapshot::Fail(Failure why) {
  Failure none = Failure::kNone;
  failure_.compare_exchange_strong(none, why);
  wanted_ = false;
  pre_images_.StopKeeping();
}

void Snapshot::KeepPreImage(const Database& db, KeyHash hash, Entry* entry) {
  entry->set_epoch(epoch_);
  if (!pre_images_.Add(hash, db.snapshot_number(), *entry)) Fail(Failure::kTooManyPreImages);
}

void Snapshot::LeaveOut(const Database& db, KeyHash hash, Entry* entry) {
  // If the log has been turned off since, it does not say that the entry goes.
  if (log_follows_ && keyspace_.feed().log() == nullptr) return KeepPreImage(db, hash, entry);
  entry->set_epoch(epoch_);
  pre_images_.LeaveOut(hash);
}

bool Snapshot::TakeTable(const Database& db, uint32_t stripe, Table* table) {
  if (!wanted() || table->size() == 0) return false;
  if (progress_[static_cast<size_t>(db.snapshot_number())].stripe > stripe) return false;
  if (log_follows_ && keyspace_.feed().log() != nullptr) {
    exact_ = false;
    return false;
  }
  auto loose = std::make_unique<LooseTable>();
  MutexLock lock(mutex_);
  if (!wanted()) return false;
  loose->db = db.snapshot_number();
  loose->table.swap(*table);
  loose_tables_.push_back(std::move(loose));
  ++loose_count_;
  return true;
}

bool Snapshot::FreeFlushedTables() {
  if (loose_count_ == 0) return false;
  Fail(Failure::kMemoryNeeded);
  DropLooseTables();
  return true;
}

void Snapshot::DropLooseTables() {
  std::deque<std::unique_ptr<LooseTable>> dropped;
  {
    // Earlier flushes have put their tables here; later ones keep theirs.
    MutexLock lock(mutex_);
    dropped.swap(loose_tables_);
    loose_count_ = 0;
  }
  for (auto& loose : dropped) keyspace_.reclaimer().DropTable(std::move(loose->table));
}

}  // namespace cloakroom
