#include "storage/keyspace/hold.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "storage/gate/doorbell.h"
#include "storage/gate/gate_tickets.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

// Which locks are taken depends on the command, so the analysis cannot follow these functions (see
// AssertHeld).

bool Hold::Refuse(Gate* gate, bool to_close) {
  Release();
  refused_ = gate;
  refused_to_close_ = to_close;
  return false;
}

bool Hold::TryPass(Database& db) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!db.gate().TryPass(slot_)) [[unlikely]]
    return Refuse(&db.gate());
  passed_ = &db.gate();
  BeginChanges(db, /*together=*/false);
  return true;
}

bool Hold::TryPassNow(Database& db) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!db.gate().TryPassNow(slot_)) return Refuse(&db.gate());
  passed_ = &db.gate();
  BeginChanges(db, /*together=*/false);
  return true;
}

bool Hold::TryKey(Database& db, KeyHash key) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!TryPass(db)) return false;
  Stripe& stripe = db.StripeOf(key);
  if (!stripe.mutex.TryLock() && !stripe.mutex.TryLockUntil(db.gate().MomentFromNow())) [[unlikely]]
    return Refuse(nullptr);
  stripes_.push_back(&stripe);
  if (stripe.interests.needs_others() && !TryLockOthers(db)) [[unlikely]]
    return Refuse(nullptr);
  BeginChanges(db, /*together=*/true);
  return true;
}

bool Hold::TryKeys(Database& db, std::span<const KeyHash> keys) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!TryPass(db)) return false;
  Stripes wanted;
  for (KeyHash key : keys) wanted.push_back(&db.StripeOf(key));
  if (!TryLockAll(db, std::move(wanted)) || !TryLockOthers(db)) return Refuse(nullptr);
  BeginChanges(db, /*together=*/true);
  return true;
}

bool Hold::TryLockAll(Database& db, Stripes wanted) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  Gate::Time until{};
  for (Stripe* stripe : wanted) {
    if (!stripe->mutex.TryLock()) [[unlikely]] {
      if (until == Gate::Time{}) until = db.gate().MomentFromNow();
      if (!stripe->mutex.TryLockUntil(until)) return false;
    }
    stripes_.push_back(stripe);
  }
  return true;
}

bool Hold::TryLockOthers(Database& db) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  for (;;) {
    Stripes wanted = stripes_;
    for (Stripe* stripe : stripes_) {
      stripe->interests.ForEachOther(
          [&](uint32_t number) { wanted.push_back(&db.stripe(number)); });
    }
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    if (wanted.size() == stripes_.size()) return true;
    // Stripes are taken in their order, so it begins again with more of them. Other requests may
    // wait in those, too.
    for (Stripe* stripe : stripes_) stripe->mutex.Unlock();
    stripes_.clear();
    if (!TryLockAll(db, std::move(wanted))) return false;
  }
}

bool Hold::TryClose(std::span<Database* const> dbs, bool queued) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  const Gate::Time until = dbs.front()->gate().MomentFromNow();
  for (Database* db : dbs) {
    switch (db->gate().TryClose(queued, until)) {
      case Gate::Closing::kDone:
        closed_.push_back(&db->gate());
        continue;
      case Gate::Closing::kRefused:
        return Refuse(&db->gate(), /*to_close=*/true);
      case Gate::Closing::kOccupied:
        return Refuse(nullptr);
    }
  }
  BeginChanges(*dbs.front(), /*together=*/true);
  return true;
}

bool Hold::Closes(const Database& db) const {
  return std::find(closed_.begin(), closed_.end(), &db.gate()) != closed_.end();
}

bool Hold::TryBesides(Database& db, KeyHash key,
                      absl::FunctionRef<void(Stripe&)> visit) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  Stripe& stripe = db.StripeOf(key);
  const bool has =
      Closes(db) || std::find(stripes_.begin(), stripes_.end(), &stripe) != stripes_.end();
  if (!has && (passed_ != &db.gate() || !stripe.mutex.TryLock())) return false;
  visit(stripe);
  if (!has) stripe.mutex.Unlock();
  return true;
}

void Hold::WaitAndPass(Database& db) {
  Doorbell bell;
  while (!TryPass(db)) bell.Await(refused_, {});
}

void Hold::WaitForKey(Database& db, KeyHash key) {
  Doorbell bell;
  while (!TryKey(db, key)) bell.Await(refused_, {});
}

bool Hold::WaitAndClose(std::span<Database* const> dbs, absl::FunctionRef<bool()> give_up) {
  Doorbell bell;
  GateTickets tickets;
  while (!TryClose(dbs, tickets.any())) {
    if (give_up()) return false;
    if (refused_ != nullptr) tickets.Refused(*refused_);
    bell.Await(refused_, {.closes = true, .queued = true});
  }
  return true;
}

void Hold::WaitAndClose(Database& db) {
  Database* const one[] = {&db};
  WaitAndClose(one);
}

void Hold::WaitAndCloseAll(Keyspace& keyspace) { WaitAndClose(keyspace.databases()); }

void Hold::BeginChanges(Database& db, bool together) {
  ChangeFeed& feed = db.keyspace().feed();
  if (keyspace_ == nullptr) {
    if (feed.wants() == ChangeConsumer::kNothing) [[likely]]
      return;
    keyspace_ = &db.keyspace();
  }
  // Otherwise a pass now also has a stripe, or there is one more gate.
  if (!together) return;
  if (const ChangeLog* log = feed.log(); log != nullptr && log->readers_wait()) [[unlikely]]
    SeeChanges(db);
  if (batch_ != nullptr) return;
  batch_ = context_ != nullptr ? context_->batches.Take() : std::make_unique<ChangeBatch>();
}

void Hold::Note(int db, ChangeKind kind, int64_t number) {
  // Nobody wants changes while a log is loaded under this hold.
  if (batch_ == nullptr || keyspace_->feed().wants() == ChangeConsumer::kNothing) return;
  batch_->Add(db, kind, {}, number);
  batch_->NoteAwaited();
}

void Hold::BeginAnew(Database& db) {
  if (!ready_.empty()) ServeReady();
  if (keyspace_ != nullptr) EndChanges();
  if (batch_ != nullptr) {
    ChangeFeed::Complete(*batch_, handed_);
    GiveBatch();
  }
  if (std::exchange(handed_on_, false)) keyspace_->feed().AfterHold();
  handed_ = {};
  keyspace_ = nullptr;
  BeginChanges(db, /*together=*/true);
}

void Hold::EndChanges() {
  if (batch_ == nullptr) return;
  if (batch_->empty() && !batch_->has_events()) return GiveBatch();
  handed_on_ = true;
  handed_ = keyspace_->feed().Hand(*batch_, seen(), client(), slot_);
  if (context_ != nullptr && handed_.log != nullptr) context_->appended = handed_.place.end;
  if (handed_.log != nullptr && handed_.log->readers_wait() && batch_->awaited()) [[unlikely]]
    MarkChanges(handed_.place.end);
}

void Hold::GiveBatch() {
  if (context_ != nullptr) context_->batches.Give(std::move(batch_));
  batch_.reset();
}

void Hold::HandAlone(Database& db, Stripe& stripe, const ChangeBatch* batch) {
  if (batch != nullptr && (!batch->empty() || batch->has_events())) {
    handed_on_ = true;
    keyspace_ = &db.keyspace();
    // The log may have been turned off meanwhile.
    const ChangeFeed::Handed handed = keyspace_->feed().Hand(*batch, seen(), client(), slot_);
    if (handed.log != nullptr && handed.log->readers_wait() && batch->awaited()) {
      stripe.logged.store(handed.place.end, std::memory_order_relaxed);
      offset_ = handed.place.end;
    }
    // Here, and not after the hold: the batch is the caller's, and short.
    ChangeFeed::Complete(*batch, handed);
  }
  if (!ready_.empty()) ServeReady();
}

void Hold::See(Database& db, const Stripe& stripe) {
  const ChangeLog* log = db.keyspace().feed().log();
  if (log == nullptr || !log->readers_wait() || seen() == nullptr) [[likely]]
    return;
  seen()->See(std::max(db.logged(), stripe.logged.load(std::memory_order_relaxed)));
}

void Hold::SeeChanges(const Database& db) {
  // The log may be turned off at any moment; then nobody waits for it.
  const ChangeLog* log = keyspace_->feed().log();
  if (log == nullptr || seen() == nullptr) return;
  // With 256 stripes, some will have changed just now.
  if (!closed_.empty()) return seen()->See(log->appended());
  int64_t offset = db.logged();
  for (const Stripe* stripe : stripes_) {
    offset = std::max(offset, stripe->logged.load(std::memory_order_relaxed));
  }
  seen()->See(offset);
}

void Hold::NoteReady(Database& db, std::string_view key, KeyHash hash) {
  Stripe& stripe = db.StripeOf(hash);
  AssertHeld(stripe);
  if (stripe.interests.MarkReady(key)) ready_.push_back({&db, std::string(key), hash});
}

void Hold::ServeReady() {
  if (serving_) return;
  serving_ = true;
  // A served request may make more keys ready.
  for (size_t i = 0; i < ready_.size(); ++i) {
    const Ready ready = std::move(ready_[i]);
    ServeWaiters(*ready.db, ready.key, ready.hash);
  }
  ready_.clear();
  serving_ = false;
}

void Hold::ServeWaiters(Database& db, std::string_view key, KeyHash hash) {
  Stripe& stripe = db.StripeOf(hash);
  AssertHeld(stripe);
  InterestTable& interests = stripe.interests;
  interests.UnmarkReady(key);
  InterestTable::Place* place = interests.FirstWaiting(key);
  while (place != nullptr) {
    const std::shared_ptr<Waiter> waiter = place->waiter->shared_from_this();
    const Waiter::Verdict verdict = waiter->Serve(*this, db, key, hash);
    if (verdict == Waiter::Verdict::kNotReady) {
      place = interests.FirstHearingRemoval(key, place);
      continue;
    }
    InterestTable::Place* const next = interests.FirstWaiting(key, place);
    if (verdict == Waiter::Verdict::kServed) {
      interests.Leave(key, place);
      served_.push_back(waiter);
    }
    place = next;
  }
}

void Hold::Finish() {
  if (batch_ != nullptr) {
    ChangeFeed::Complete(*batch_, handed_);
    GiveBatch();
  }
  if (std::exchange(handed_on_, false)) keyspace_->feed().AfterHold();
  for (const auto& waiter : std::exchange(served_, {})) waiter->Wake(offset_);
  for (const auto& work : std::exchange(afterwards_, {})) work();
  offset_ = 0;
}

void Hold::MarkChanges(int64_t offset) {
  offset_ = offset;
  for (Stripe* stripe : stripes_) stripe->logged.store(offset, std::memory_order_relaxed);
  for (int i = 0; i < keyspace_->database_count() && !closed_.empty(); ++i) {
    Database& db = keyspace_->db(i);
    if (std::find(closed_.begin(), closed_.end(), &db.gate()) != closed_.end()) {
      db.set_logged(offset);
    }
  }
}

void Hold::Release() ABSL_NO_THREAD_SAFETY_ANALYSIS {
  if (!ready_.empty()) [[unlikely]]
    ServeReady();
  if (keyspace_ != nullptr) EndChanges();
  for (size_t i = stripes_.size(); i-- > 0;) stripes_[i]->mutex.Unlock();
  stripes_.clear();
  if (passed_ != nullptr) passed_->Leave(slot_);
  passed_ = nullptr;
  for (size_t i = closed_.size(); i-- > 0;) closed_[i]->Open();
  closed_.clear();
  if (handed_on_ || !served_.empty() || !afterwards_.empty()) [[unlikely]]
    Finish();
  keyspace_ = nullptr;
}

}  // namespace cloakroom
