#include "storage/keyspace/reclaimer.h"

#include <memory>
#include <string>
#include <utility>

#include "storage/base/memory_meter.h"
#include "storage/values/type_ops.h"

namespace cloakroom {
namespace {

void Free(Entry* entry) {
  ReleaseValue(entry->value());
  Entry::Destroy(entry);
}

/// Entries of a table to free before writers learn of the free memory.
constexpr int kPerPublish = 256;

void FreeAll(const Table& table) {
  int freed = 0;
  table.ForEach([&](Entry* entry) {
    Free(entry);
    if (++freed % kPerPublish == 0) MemoryMeter::Publish();
  });
}

}  // namespace

Reclaimer::Reclaimer() : thread_([this] { Run(); }) {}

Reclaimer::~Reclaimer() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void Reclaimer::Drop(Entry* entry) {
  if (ReleaseCost(entry->value()) <= kInlineCost) return Free(entry);
  Post({[entry] { Free(entry); }, 1});
}

void Reclaimer::DropValue(const ValueView& value) {
  if (ReleaseCost(value) <= kInlineCost) return ReleaseValue(value);
  Post({[dropped = value, payload = std::string(value.payload)]() mutable {
          dropped.payload = payload;
          ReleaseValue(dropped);
        },
        1});
}

void Reclaimer::DropTable(Table table) {
  if (table.size() == 0) return;
  int64_t objects = static_cast<int64_t>(table.size());
  auto shared = std::make_shared<Table>(std::move(table));
  Post({[shared] { FreeAll(*shared); }, objects, /*is_table=*/true});
}

void Reclaimer::Drain() {
  MutexLock lock(mutex_);
  while (!jobs_.empty() || busy_) changed_.Wait(mutex_);
}

void Reclaimer::Post(Job job) {
  pending_.fetch_add(job.objects, std::memory_order_relaxed);
  if (job.is_table) pending_in_tables_.fetch_add(job.objects, std::memory_order_relaxed);
  {
    MutexLock lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.NotifyAll();
}

void Reclaimer::Run() {
  MemoryMeter::RegisterThread();
  MutexLock lock(mutex_);
  while (true) {
    while (jobs_.empty() && !stopping_) changed_.Wait(mutex_);
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    mutex_.Unlock();
    job.run();
    job.run = nullptr;
    MemoryMeter::Publish();
    // A thread that then sees nothing pending also sees the freed memory.
    pending_.fetch_sub(job.objects, std::memory_order_release);
    if (job.is_table) pending_in_tables_.fetch_sub(job.objects, std::memory_order_release);
    freed_.fetch_add(job.objects, std::memory_order_relaxed);
    mutex_.Lock();
    busy_ = false;
    changed_.NotifyAll();
  }
}

}  // namespace cloakroom
