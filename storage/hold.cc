#include "storage/hold.h"

#include <algorithm>

namespace cloakroom {

// Which locks are taken depends on the command, so the analysis cannot follow these functions;
// they are all there is of it (see AssertHeld).

bool Hold::TryPass(Database& db) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!db.gate().TryPass(slot_)) [[unlikely]] {
    refused_ = &db.gate();
    return false;
  }
  passed_ = &db.gate();
  return true;
}

bool Hold::TryKey(Database& db, KeyHash key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!TryPass(db)) return false;
  Stripe& stripe = db.StripeOf(key);
  stripe.mutex.Lock();
  stripes_.push_back(&stripe);
  return true;
}

bool Hold::TryKeys(Database& db, std::span<const KeyHash> keys) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!TryPass(db)) return false;
  for (KeyHash key : keys) stripes_.push_back(&db.StripeOf(key));
  std::sort(stripes_.begin(), stripes_.end());
  stripes_.erase(std::unique(stripes_.begin(), stripes_.end()), stripes_.end());
  for (Stripe* stripe : stripes_) stripe->mutex.Lock();
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
  return true;
}

void Hold::WaitAndPass(Database& db) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  db.gate().Pass(slot_);
  passed_ = &db.gate();
}

void Hold::WaitForKey(Database& db, KeyHash key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  WaitAndPass(db);
  Stripe& stripe = db.StripeOf(key);
  stripe.mutex.Lock();
  stripes_.push_back(&stripe);
}

void Hold::WaitAndClose(Database& db) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  db.gate().Close();
  closed_.push_back(&db.gate());
}

void Hold::Release() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (size_t i = stripes_.size(); i-- > 0;) stripes_[i]->mutex.Unlock();
  stripes_.clear();
  if (passed_ != nullptr) passed_->Leave(slot_);
  passed_ = nullptr;
  for (size_t i = closed_.size(); i-- > 0;) closed_[i]->Open();
  closed_.clear();
}

}  // namespace cloakroom
