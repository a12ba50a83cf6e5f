#include "replication/aof/aof_pending.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/stream/change_encoder.h"
#include "replication/stream/command_encoder.h"
#include "storage/base/integer_text.h"

namespace cloakroom {
namespace {

/// Longer waits are cut: the condition variable's clock counts in nanoseconds.
constexpr int64_t kLongestWaitUs = int64_t{3600} * 1'000'000;

/// The command that selects the database; nothing if there is none.
std::string SelectionOf(int db) {
  std::string text;
  if (db == ChangeStream::kKeepsDb) return text;
  const IntegerText number(db);
  const std::array<std::string_view, 2> words = {"SELECT", number.view()};
  AppendCommand(text, words);
  return text;
}

}  // namespace

AofPending::~AofPending() { stream_.Remove(*this); }

// ---- appending

ChangePlace AofPending::Reserve(const ChangeBatch& batch, GateSlot slot, Due due) {
  ChangePlace place =
      stream_.Reserve(slot, EncodedSize(batch, oldest_), batch.first_db(), batch.last_db());
  place.awaited = due == Due::kOnDemand;
  Annotate(place.begin);
  return place;
}

void AofPending::Complete(const ChangeBatch& batch, const ChangePlace& place) {
  StreamWriter writer = stream_.Begin(place);
  EncodeChanges(batch, oldest_, writer);
  Completed(place);
}

int64_t AofPending::AppendChanges(const ChangeBatch& batch, Due due) {
  const ChangePlace place = Reserve(batch, ChangeStream::kNoSlot, due);
  Complete(batch, place);
  return place.end;
}

int64_t AofPending::Append(std::string_view bytes, Due due) {
  ChangePlace place = stream_.Reserve(ChangeStream::kNoSlot, bytes.size(), ChangeStream::kKeepsDb,
                                      ChangeStream::kKeepsDb);
  place.awaited = due == Due::kOnDemand;
  Annotate(place.begin);
  stream_.Begin(place).Put(bytes);
  Completed(place);
  return place.end;
}

int64_t AofPending::AppendUnlogged(std::string_view bytes) {
  const ChangePlace place = stream_.Reserve(ChangeStream::kNoSlot, bytes.size(),
                                            ChangeStream::kKeepsDb, ChangeStream::kKeepsDb);
  if (logging()) AddMark({.position = place.begin, .skipped = place.end - place.begin});
  stream_.Begin(place).Put(bytes);
  stream_.Complete(place);
  Announce(/*due=*/unlogged_wakes_.exchange(false, std::memory_order_seq_cst));
  return place.end;
}

void AofPending::Extend(int64_t end, int db, std::optional<std::string> instead) {
  const int64_t begin = stream_.tail();
  if (!instead || !instead->empty()) Annotate(begin);
  if (instead && logging()) {
    AddMark({.position = begin, .text = *std::move(instead), .skipped = end - begin});
  }
  stream_.Extend(end, db);
  // Also for bytes that it leaves out, so that none seem to be pending for long.
  Announce(/*due=*/true);
}

void AofPending::Completed(const ChangePlace& place) {
  stream_.Complete(place);
  Announce(!place.awaited);
}

/// Call it after the bytes are complete: a writer that resets due_now_ has then claimed them.
void AofPending::Announce(bool due) {
  if (due && !due_now_.load(std::memory_order_seq_cst)) {
    due_now_.store(true, std::memory_order_seq_cst);
  }
  stream_.Announce();
}

void AofPending::Demand(int64_t offset) {
  int64_t before = demanded_.load(std::memory_order_relaxed);
  while (before < offset && !demanded_.compare_exchange_weak(before, offset)) {
  }
  StreamMoved();
}

// ---- marks

/// REQUIRES: the place at the position is not complete, so that no reader comes there before the
/// mark.
void AofPending::Annotate(int64_t position) {
  if (!timestamps_.load(std::memory_order_relaxed) || !logging()) return;
  const int64_t now_s = clock_.NowMs() / 1000;
  int64_t last_s = last_timestamp_s_.load(std::memory_order_relaxed);
  if (now_s <= last_s || !last_timestamp_s_.compare_exchange_strong(last_s, now_s)) return;
  AddMark({.position = position, .text = absl::StrCat("#TS:", now_s, "\r\n")});
}

void AofPending::AddMark(AofMark mark) {
  MutexLock lock(mutex_);
  Insert(std::move(mark));
}

void AofPending::Insert(AofMark mark) {
  const auto at = std::upper_bound(
      marks_.begin(), marks_.end(), mark.position,
      [](int64_t position, const AofMark& other) { return position < other.position; });
  marks_.insert(at, std::move(mark));
}

int64_t AofPending::Switch(AofNewFile file) {
  // An empty record: until it is complete, nobody reads what comes behind it.
  int db = ChangeStream::kKeepsDb;
  const ChangePlace place = stream_.ReserveEmpty(&db);
  AofMark mark = {.position = place.begin, .new_file = std::move(file), .text = SelectionOf(db)};
  {
    MutexLock lock(mutex_);
    // What comes from here on follows a base with the data as it is.
    distrusted_ = false;
    if (states_) mark.history = history_;
    Insert(std::move(mark));
  }
  // Each file begins with a time, too.
  last_timestamp_s_.store(0, std::memory_order_relaxed);
  set_logging(true);
  Completed(place);
  return place.end;
}

// ---- the history

void AofPending::Begin(bool is_new) {
  AofMark mark = {.position = appended()};
  if (is_new) mark.text = SelectionOf(stream_.selected_db());
  {
    MutexLock lock(mutex_);
    if (states_) mark.history = history_;
    if (mark.history || !mark.text.empty()) Insert(std::move(mark));
  }
  set_logging(true);
}

void AofPending::SetHistory(AofHistory history) {
  // An empty record, as for a switch: the mark comes before what is behind it.
  int db = ChangeStream::kKeepsDb;
  const ChangePlace place = stream_.ReserveEmpty(&db);
  {
    MutexLock lock(mutex_);
    const bool news = history != history_;
    history_ = std::move(history);
    states_ = states_ || history_.known();
    if (news && logging() && !distrusted_) {
      Insert({.position = place.begin, .history = history_});
    }
  }
  Completed(place);
}

void AofPending::NoteStatements() {
  MutexLock lock(mutex_);
  states_ = true;
}

void AofPending::Distrust() {
  int db = ChangeStream::kKeepsDb;
  const ChangePlace place = stream_.ReserveEmpty(&db);
  {
    MutexLock lock(mutex_);
    const bool news = logging() && !std::exchange(distrusted_, logging());
    if (news && states_) Insert({.position = place.begin, .history = AofHistory()});
  }
  Completed(place);
}

void AofPending::Select(int db) {
  int before = ChangeStream::kKeepsDb;
  const ChangePlace place = stream_.ReserveEmpty(&before);
  {
    MutexLock lock(mutex_);
    AofMark mark = {.position = place.begin, .text = SelectionOf(db)};
    if (states_ && !distrusted_) {
      // As for any command that is not the stream's: no byte of it is taken for the history's.
      mark.text.insert(0, AofHistory().Line(0));
      mark.history = history_;
    }
    if (logging()) Insert(std::move(mark));
  }
  Completed(place);
}

// ---- the writer

int64_t AofPending::Claim() {
  due_now_.store(false, std::memory_order_seq_cst);
  const int64_t offset = std::max(claimed_.load(), stream_.Published());
  claimed_.store(offset, std::memory_order_seq_cst);
  return offset;
}

void AofPending::AwaitComplete() const {
  for (const int64_t tail = stream_.tail(); stream_.Published() < tail;) std::this_thread::yield();
}

void AofPending::TakeMarks(std::deque<AofMark>& marks) {
  const int64_t claimed = claimed_.load(std::memory_order_relaxed);
  MutexLock lock(mutex_);
  while (!marks_.empty() && marks_.front().position <= claimed) {
    marks.push_back(std::move(marks_.front()));
    marks_.pop_front();
  }
}

bool AofPending::IsDue() const {
  if (due_now_.load(std::memory_order_seq_cst)) return true;
  const int64_t claimed = claimed_.load(std::memory_order_seq_cst);
  const bool wanted =
      demanded_.load(std::memory_order_seq_cst) > claimed || appended() - claimed >= kFull;
  return wanted && stream_.Published() > claimed;
}

void AofPending::StreamMoved() {
  if (!asleep_.load(std::memory_order_seq_cst) || !IsDue()) return;
  {
    // The writer has checked and does not wait yet, or it waits.
    MutexLock lock(mutex_);
    if (!asleep_.exchange(false)) return;
  }
  wake_.NotifyOne();
}

bool AofPending::Await(bool for_bytes, int64_t us, int64_t gather_us) {
  using std::chrono::microseconds;
  MutexLock lock(mutex_);
  auto deadline = std::chrono::steady_clock::now() + microseconds(std::min(us, kLongestWaitUs));
  stream_.Listen();
  for (;;) {
    asleep_.store(for_bytes, std::memory_order_seq_cst);
    if (woken_ || (for_bytes && IsDue()) || !wake_.WaitUntil(mutex_, deadline)) break;
  }
  asleep_.store(false, std::memory_order_seq_cst);
  stream_.EndListening();
  if (gather_us > 0 && for_bytes && IsDue()) {
    auto gathered = std::chrono::steady_clock::now() + microseconds(gather_us);
    while (!woken_ && wake_.WaitUntil(mutex_, gathered)) {
    }
  }
  woken_ = false;
  return IsDue();
}

void AofPending::Wake() {
  {
    MutexLock lock(mutex_);
    woken_ = true;
  }
  wake_.NotifyOne();
}

}  // namespace cloakroom
