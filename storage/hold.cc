#include "storage/hold.h"

#include <algorithm>

#include "storage/keyspace.h"

namespace cloakroom {

// Which locks are taken depends on the command, so the analysis cannot follow these functions;
// they are all there is of it (see AssertHeld).

bool Hold::TryPass(Database& db) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!db.gate().TryPass(slot_)) [[unlikely]] {
    refused_ = &db.gate();
    return false;
  }
  passed_ = &db.gate();
  BeginChanges(db, /*together=*/false);
  return true;
}

bool Hold::TryKey(Database& db, KeyHash key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!TryPass(db)) return false;
  Stripe& stripe = db.StripeOf(key);
  stripe.mutex.Lock();
  stripes_.push_back(&stripe);
  BeginChanges(db, /*together=*/true);
  return true;
}

bool Hold::TryKeys(Database& db, std::span<const KeyHash> keys) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!TryPass(db)) return false;
  for (KeyHash key : keys) stripes_.push_back(&db.StripeOf(key));
  std::sort(stripes_.begin(), stripes_.end());
  stripes_.erase(std::unique(stripes_.begin(), stripes_.end()), stripes_.end());
  for (Stripe* stripe : stripes_) stripe->mutex.Lock();
  BeginChanges(db, /*together=*/true);
  return true;
}

bool Hold::TryClose(std::span<Database* const> dbs, bool queued) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (Database* db : dbs) {
    if (db->gate().TryClose(queued)) {
      closed_.push_back(&db->gate());
      continue;
    }
    Release();
    refused_ = &db->gate();
    return false;
  }
  BeginChanges(*dbs.front(), /*together=*/true);
  return true;
}

void Hold::WaitAndPass(Database& db) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  db.gate().Pass(slot_);
  passed_ = &db.gate();
  BeginChanges(db, /*together=*/false);
}

void Hold::WaitForKey(Database& db, KeyHash key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  WaitAndPass(db);
  Stripe& stripe = db.StripeOf(key);
  stripe.mutex.Lock();
  stripes_.push_back(&stripe);
  BeginChanges(db, /*together=*/true);
}

void Hold::WaitAndClose(Database& db) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  db.gate().Close();
  closed_.push_back(&db.gate());
  BeginChanges(db, /*together=*/true);
}

void Hold::BeginChanges(Database& db, bool together) {
  if (log_ == nullptr) {
    log_ = db.keyspace().change_log();
    if (log_ == nullptr) [[likely]]
      return;
    keyspace_ = &db.keyspace();
    outer_ = ExchangeCurrentChanges(nullptr);
  }
  // Else a pass has come to hold a stripe, or there is one more gate.
  if (!together) return;
  if (log_->readers_wait()) [[unlikely]]
    SeeChanges(db);
  if (batch_ != nullptr) return;
  batch_ = BorrowChangeBatch();
  ExchangeCurrentChanges(batch_);
}

void Hold::EndChanges() {
  ExchangeCurrentChanges(outer_);
  if (batch_ != nullptr) {
    if (!batch_->empty()) {
      const int64_t offset = log_->Append(*batch_);
      if (log_->readers_wait() && batch_->shown()) [[unlikely]]
        MarkChanges(offset);
    }
    ReturnChangeBatch(batch_);
  }
  log_ = nullptr;
  batch_ = nullptr;
}

void Hold::SeeChanges(const Database& db) {
  // Of 256 stripes some will have changed just now.
  if (!closed_.empty()) return log_->Saw(log_->appended());
  int64_t offset = db.logged();
  for (const Stripe* stripe : stripes_) {
    offset = std::max(offset, stripe->logged.load(std::memory_order_relaxed));
  }
  log_->Saw(offset);
}

void Hold::MarkChanges(int64_t offset) {
  for (Stripe* stripe : stripes_) stripe->logged.store(offset, std::memory_order_relaxed);
  for (int i = 0; i < keyspace_->database_count() && !closed_.empty(); ++i) {
    Database& db = keyspace_->db(i);
    if (std::find(closed_.begin(), closed_.end(), &db.gate()) != closed_.end()) {
      db.set_logged(offset);
    }
  }
}

void Hold::Release() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (log_ != nullptr) EndChanges();
  for (size_t i = stripes_.size(); i-- > 0;) stripes_[i]->mutex.Unlock();
  stripes_.clear();
  if (passed_ != nullptr) passed_->Leave(slot_);
  passed_ = nullptr;
  for (size_t i = closed_.size(); i-- > 0;) closed_[i]->Open();
  closed_.clear();
}

}  // namespace cloakroom
