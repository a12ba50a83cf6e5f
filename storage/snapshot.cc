#include "storage/snapshot.h"

#include <utility>

#include "storage/hold.h"
#include "storage/keyspace.h"

namespace cloakroom {
namespace {

/// What one hold of a stripe may copy: some microseconds' worth. A bucket is copied whole.
constexpr size_t kEntriesPerHold = 24;
constexpr size_t kBytesPerHold = 64 * 1024;
/// Buckets looked at in one hold where all entries are newer already.
constexpr int kBucketsPerHold = 32;
/// A batch is given out when it has come to so much.
constexpr size_t kBatchBytes = 64 * 1024;

}  // namespace

Snapshot::~Snapshot() {
  MutexLock lock(mutex_);
  for (auto& loose : loose_tables_) keyspace_.reclaimer().DropTable(std::move(loose->table));
}

Snapshot::Facts Snapshot::Begin(size_t max_pre_image_bytes, absl::FunctionRef<void()> at_instant,
                                bool gates_closed) {
  gates_closed_ = gates_closed;
  place_ = {};
  cancelled_ = false;
  Hold hold(keyspace_.background_slot());
  if (!gates_closed) {
    hold.WaitAndCloseAll(keyspace_);
  }
  Facts facts;
  for (int i = 0; i < keyspace_.database_count(); ++i) {
    Database& db = keyspace_.db(i);
    db.set_snapshot_number(i);
    facts.keys += db.size();
    facts.field_expiry = facts.field_expiry || db.has_field_expiry();
  }
  {
    MutexLock lock(mutex_);
    max_pre_image_bytes_ = max_pre_image_bytes;
  }
  keys_total_ = facts.keys;
  keys_done_ = 0;
  failed_ = false;
  active_ = true;
  epoch_ = !epoch_;
  at_instant();
  return facts;
}

bool Snapshot::Next(SnapshotBatch* batch) {
  batch->Clear();
  while (true) {
    // Pre-images first: they are what uses memory.
    if (TakePreImages(batch) || WalkLooseTables(batch) || WalkKeyspace(batch)) {
      keys_done_.fetch_add(batch->count(), std::memory_order_relaxed);
      return true;
    }
    if (Finished()) return false;
  }
}

void Snapshot::Cancel() {
  cancelled_ = true;
  SnapshotBatch none;
  while (Next(&none)) none.Clear();
}

bool Snapshot::TakePreImages(SnapshotBatch* batch) {
  MutexLock lock(mutex_);
  if (pre_images_.empty()) return false;
  batch->Swap(pre_images_);
  return true;
}

bool Snapshot::WalkLooseTables(SnapshotBatch* batch) {
  while (true) {
    LooseTable* loose = nullptr;
    {
      MutexLock lock(mutex_);
      if (loose_tables_.empty()) return false;
      loose = loose_tables_.front().get();
    }
    bool more = true;
    while (more && batch->retained_bytes() < kBatchBytes) {
      loose->position = WalkTable(loose->table, loose->db, loose->position, batch);
      more = loose->position != 0;
    }
    if (!more) {
      std::unique_ptr<LooseTable> done;
      MutexLock lock(mutex_);
      done = std::move(loose_tables_.front());
      loose_tables_.pop_front();
      keyspace_.reclaimer().DropTable(std::move(done->table));
    }
    if (!batch->empty()) return true;
  }
}

bool Snapshot::WalkKeyspace(SnapshotBatch* batch) {
  while (place_.db < keyspace_.database_count() && batch->retained_bytes() < kBatchBytes) {
    // SWAPDB, with all gates closed, may have moved it; a pass through any gate keeps it in place.
    Database& db = keyspace_.DatabaseOfSnapshot(place_.db);
    bool more = false;
    if (Stripe& stripe = db.stripe(place_.stripe);
        stripe.keys.load(std::memory_order_relaxed) > 0) {
      Hold hold(keyspace_.background_slot());
      if (!gates_closed_) hold.WaitAndPass(db);
      if (db.snapshot_number() != place_.db) continue;
      more = WalkStripe(db, stripe, batch);
    }
    if (more) continue;
    place_.position = 0;
    if (++place_.stripe < Database::kStripes) continue;
    place_.stripe = 0;
    ++place_.db;
  }
  return !batch->empty();
}

bool Snapshot::WalkStripe(Database& db, Stripe& stripe, SnapshotBatch* batch) {
  MutexLock lock(stripe.mutex);
  size_t entries = batch->count() + kEntriesPerHold;
  size_t bytes = batch->retained_bytes() + kBytesPerHold;
  for (int buckets = 0; buckets < kBucketsPerHold; ++buckets) {
    place_.position = WalkTable(stripe.table, db.snapshot_number(), place_.position, batch);
    if (place_.position == 0) return false;
    if (batch->count() >= entries || batch->retained_bytes() >= bytes) break;
  }
  return true;
}

uint64_t Snapshot::WalkTable(Table& table, int db, uint64_t position, SnapshotBatch* batch) {
  return table.Scan(position, [&](Entry* entry) {
    if (entry->epoch() == epoch_) return;
    entry->set_epoch(epoch_);
    if (!cancelled_) batch->Add(db, *entry);
  });
}

bool Snapshot::Finished() {
  MutexLock lock(mutex_);
  // Nothing older is left in any table, so what stands here is all that can still come.
  if (!pre_images_.empty() || !loose_tables_.empty()) return false;
  active_ = false;
  return true;
}

void Snapshot::KeepPreImage(const Database& db, Entry* entry) {
  entry->set_epoch(epoch_);
  MutexLock lock(mutex_);
  if (failed_) return;
  pre_images_.Add(db.snapshot_number(), *entry);
  if (pre_images_.retained_bytes() > max_pre_image_bytes_) failed_ = true;
}

bool Snapshot::TakeTable(const Database& db, Table* table) {
  MutexLock lock(mutex_);
  if (!active_ || table->size() == 0) return false;
  loose_tables_.push_back(std::make_unique<LooseTable>());
  loose_tables_.back()->db = db.snapshot_number();
  loose_tables_.back()->table.swap(*table);
  return true;
}

}  // namespace cloakroom
