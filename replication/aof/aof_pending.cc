#include "replication/aof/aof_pending.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

namespace cloakroom {
namespace {

/// A chunk's initial capacity, so that records which make it overflow seldom move it.
constexpr size_t kCapacity = AofPending::kChunk + AofPending::kChunk / 4;
/// Chunks whose memory is kept for the next bytes.
constexpr size_t kMaxSpares = 8;
/// Longer waits are cut: the condition variable's clock counts in nanoseconds.
constexpr int64_t kLongestWaitUs = int64_t{3600} * 1'000'000;

}  // namespace

int64_t AofPending::Append(std::string_view bytes, Due due) {
  return AppendWith(due, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { current_.append(bytes); });
}

int64_t AofPending::AppendChanges(const ChangeBatch& batch, Due due) {
  if (batch.word_count() > kShortWords || batch.byte_count() >= kCopied) {
    return AppendEncoded([&] { return EncodeChanges(batch, kChunk); }, due);
  }
  return AppendWith(
      due, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { stream_.Encode(batch, &current_); });
}

int64_t AofPending::AppendEncoded(absl::FunctionRef<EncodedChanges()> encode, Due due) {
  EncodedChanges changes = encode();
  const bool copies = changes.byte_count() < kCopied;
  return AppendWith(due, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    stream_.Lead(changes, &current_);
    if (!copies) return Splice(changes);
    for (const std::string& piece : changes.pieces) current_.append(piece);
  });
}

template <typename Add>
int64_t AofPending::AppendWith(Due due, Add add) {
  bool wake = false;
  int64_t offset;
  {
    MutexLock lock(mutex_);
    if (!accepting_) return appended();
    if (timestamps_) Annotate();
    add();
    if (current_.size() >= kChunk) EndChunk();
    offset = ended_ + static_cast<int64_t>(current_.size());
    appended_.store(offset, std::memory_order_relaxed);
    due_ = due_ || !full_.empty() || due == Due::kNow;
    wake = due_ && std::exchange(asleep_, false);
  }
  if (wake) wake_.NotifyOne();
  return offset;
}

void AofPending::Splice(EncodedChanges& changes) {
  if (!current_.empty()) EndChunk();
  for (std::string& piece : changes.pieces) {
    ended_ += static_cast<int64_t>(piece.size());
    full_.push_back({std::move(piece), std::nullopt});
  }
}

void AofPending::Demand(int64_t offset) {
  bool wake = false;
  {
    MutexLock lock(mutex_);
    if (offset <= taken_) return;
    due_ = true;
    wake = std::exchange(asleep_, false);
  }
  if (wake) wake_.NotifyOne();
}

void AofPending::Annotate() {
  int64_t now_s = clock_.NowMs() / 1000;
  if (now_s <= last_timestamp_s_) return;
  last_timestamp_s_ = now_s;
  absl::StrAppend(&current_, "#TS:", now_s, "\r\n");
}

void AofPending::EndChunk() {
  ended_ += static_cast<int64_t>(current_.size());
  full_.push_back({std::move(current_), std::nullopt});
  current_.clear();
  if (!spares_.empty()) {
    current_ = std::move(spares_.back());
    spares_.pop_back();
  } else {
    current_.reserve(kCapacity);
  }
}

void AofPending::set_accepting(bool accepting) {
  MutexLock lock(mutex_);
  accepting_ = accepting;
  stream_.Restart();
}

void AofPending::set_timestamps(bool on) {
  MutexLock lock(mutex_);
  timestamps_ = on;
}

int64_t AofPending::Switch(AofNewFile file) {
  {
    MutexLock lock(mutex_);
    if (!current_.empty()) EndChunk();
    full_.push_back({"", std::move(file)});
    accepting_ = true;
    // Each file begins with its database, and its time.
    stream_.Restart();
    last_timestamp_s_ = 0;
    due_ = true;
    asleep_ = false;
  }
  wake_.NotifyOne();
  return appended();
}

std::vector<AofChunk> AofPending::Take() {
  MutexLock lock(mutex_);
  if (!current_.empty()) EndChunk();
  taken_ = appended();
  due_ = false;
  return std::exchange(full_, {});
}

void AofPending::Recycle(std::string bytes) {
  // Does not keep the memory of one huge value for ever.
  if (bytes.capacity() > 2 * kCapacity || bytes.capacity() < kChunk) return;
  bytes.clear();
  MutexLock lock(mutex_);
  if (spares_.size() < kMaxSpares) spares_.push_back(std::move(bytes));
}

bool AofPending::Await(bool for_bytes, int64_t us, int64_t gather_us) {
  using std::chrono::microseconds;
  MutexLock lock(mutex_);
  auto deadline = std::chrono::steady_clock::now() + microseconds(std::min(us, kLongestWaitUs));
  asleep_ = for_bytes;
  while (!woken_ && !(for_bytes && due_)) {
    if (!wake_.WaitUntil(mutex_, deadline)) break;
  }
  asleep_ = false;
  if (gather_us > 0 && for_bytes && due_) {
    auto gathered = std::chrono::steady_clock::now() + microseconds(gather_us);
    while (!woken_ && wake_.WaitUntil(mutex_, gathered)) {
    }
  }
  woken_ = false;
  return due_;
}

void AofPending::Wake() {
  {
    MutexLock lock(mutex_);
    woken_ = true;
    asleep_ = false;
  }
  wake_.NotifyOne();
}

}  // namespace cloakroom
