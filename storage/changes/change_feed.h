#ifndef CLOAKROOM_STORAGE_CHANGES_CHANGE_FEED_H_
#define CLOAKROOM_STORAGE_CHANGES_CHANGE_FEED_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "storage/base/mutex.h"
#include "storage/changes/change.h"
#include "storage/changes/change_log.h"

namespace cloakroom {

/// Where a batch of changes comes from.
struct ChangeOrigin {
  uint64_t client = 0;  ///< whose command made them; 0: no client's
  /// What they tell may be shown when the log is durable up to this offset. 0: at once.
  int64_t durable_from = 0;
};

/// Is told what has changed, batch by batch.
class ChangeConsumer {
 public:
  /// What a batch must carry for this consumer.
  enum Wants : uint8_t {
    kNothing = 0,
    kResults = 1,  ///< the changes
    kEvents = 2,   ///< the events, by Redis' names, and changes of whole databases
    kMisses = 4,   ///< the event "keymiss" for reads of absent keys
    kNewKeys = 8,  ///< the event "new" for keys that come into being
  };

  virtual ~ChangeConsumer() = default;
  /// Takes the changes of one hold while everything that they touch is held, so the calls are in
  /// the order of the changes to every key. Do here only what depends on that order: other threads
  /// wait for the stripes. Must not touch the keyspace or make system calls. Any thread.
  virtual void Take(const ChangeBatch& batch, const ChangeOrigin& origin) = 0;
  /// Called after Take, on the same thread, when the hold has given everything back: for what may
  /// take longer, such as waking other threads.
  virtual void AfterHold() {}
};

/// The one place that hands a finished batch of changes to all that want it.
///
/// - Under the stripes, in this order: the log reserves their place, since its order is the order
///   of the changes, and its offset marks the stripes; then every consumer's Take.
/// - After the hold: the log writes them into their place; then every consumer's AfterHold.
///
/// Costs one load while nobody wants anything.
class ChangeFeed {
 public:
  static constexpr size_t kMostConsumers = 4;

  /// Everything that anybody wants, as bits of ChangeConsumer::Wants. Any thread.
  uint8_t wants() const { return wants_.load(std::memory_order_acquire); }

  /// Null: no log. Set with all gates closed, or before the first command.
  void set_log(ChangeLog* log);
  ChangeLog* log() const { return log_.load(std::memory_order_acquire); }
  /// While it is silent, nobody wants anything: what a load makes is no change. REQUIRES: as
  /// set_log.
  void set_silent(bool silent);

  /// Call before the first command or after the last one. REQUIRES: at most kMostConsumers.
  void Add(ChangeConsumer& consumer);
  void Remove(ChangeConsumer& consumer);
  /// Takes effect for holds that begin later. At first a consumer wants nothing. Any thread.
  void SetWants(const ChangeConsumer& consumer, uint8_t wants);

  /// A batch that was handed on.
  struct Handed {
    ChangeLog* log = nullptr;  ///< that took it
    ChangePlace place;         ///< there; all zeros without a log
  };
  /// Hands on the changes of a hold, which must still be held. Any thread; `slot` is its own.
  Handed Hand(const ChangeBatch& batch, SeenOffset* writer, uint64_t client, GateSlot slot) const;
  /// Has the log write the batch. Once for each Hand, on the same thread.
  static void Complete(const ChangeBatch& batch, const Handed& handed) {
    if (handed.log != nullptr) handed.log->Complete(batch, handed.place);
  }
  void AfterHold() const;

 private:
  struct Place {
    std::atomic<ChangeConsumer*> consumer = nullptr;
    std::atomic<uint8_t> wants = ChangeConsumer::kNothing;
  };
  void Sum();

  std::atomic<uint8_t> wants_ = ChangeConsumer::kNothing;
  std::atomic<ChangeLog*> log_ = nullptr;
  std::atomic<bool> silent_ = false;
  std::array<Place, kMostConsumers> places_;
  Mutex mutex_;  ///< guards the sum: of two threads that change a part the later counts both
};

}  // namespace cloakroom

#endif  // CLOAKROOM_STORAGE_CHANGES_CHANGE_FEED_H_
