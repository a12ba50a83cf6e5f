#include "replication/rdb/rdb_loader.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/files/file_source.h"
#include "replication/rdb/rdb_load_queue.h"

namespace cloakroom {
namespace {

/// The caller hears of progress each time this many bytes were read.
constexpr uint64_t kProgressStep = 1 << 20;

/// One load, from the reader to the queue.
class Load {
 public:
  Load(ByteSource& source, uint64_t size, Keyspace& keyspace, const RdbLoadOptions& options)
      : options_(options), keyspace_(keyspace), reader_(source, size) {
    if (!options.checksum) reader_.IgnoreChecksum();
  }

  RdbLoadResult Run() {
    while (Step()) {
    }
    SendBatch();
    RdbLoadQueue::Loaded outcome;
    if (queue_) outcome = queue_->Finish();
    result_.keys = outcome.counts.keys;
    result_.expired = outcome.counts.expired;
    result_.empty = outcome.counts.empty;
    result_.bytes = reader_.offset();
    result_.rest = reader_.rest();
    if (options_.lenient) {
      AddDamage(std::move(outcome));
    } else if (!outcome.errors.empty() &&
               (!result_.error || outcome.errors.front().offset < result_.error->offset)) {
      result_.error = std::move(outcome.errors.front());
    }
    return std::move(result_);
  }

 private:
  // False: there is nothing more to do.
  bool Step() {
    switch (reader_.Next()) {
      case RdbReader::Item::kRecord:
        AddRecord();
        break;
      case RdbReader::Item::kAux:
        names_history_ |= reader_.name() == "repl-id";
        if (options_.aux) options_.aux(reader_.name(), reader_.value());
        break;
      case RdbReader::Item::kSelectDb:
        break;
      case RdbReader::Item::kModuleAux:
        return Refuse(ModuleError());
      case RdbReader::Item::kFunction:
        if (!TakeFunction()) return false;
        break;
      case RdbReader::Item::kError:
        return RefuseDamage();
      case RdbReader::Item::kEnd:
        return false;
    }
    return GoOn();
  }

  void AddRecord() {
    if (batch_.chunk != reader_.chunk()) {
      SendBatch();
      batch_.chunk = reader_.chunk();
    }
    batch_.records.push_back(reader_.record());
  }

  void SendBatch() {
    if (!batch_.records.empty()) {
      if (!queue_) BeginQueue();
      queue_->Add(std::move(batch_));
    }
    batch_ = {};
  }

  // Not before the AUX fields are known, which come first.
  void BeginQueue() {
    queue_.emplace(keyspace_, options_.threads,
                   RdbInsertOptions{.drop_expired = options_.drop_expired && !names_history_,
                                    .replace = options_.replace,
                                    .now_ms = options_.now_ms});
  }

  bool GoOn() {
    if (reader_.offset() - told_ < kProgressStep) return true;
    told_ = reader_.offset();
    if (options_.progress) options_.progress(told_);
    result_.stopped = options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed);
    return !result_.stopped && (options_.lenient || !queue_ || !queue_->failed());
  }

  // False: the library could not be taken, and this ends the load.
  bool TakeFunction() {
    if (!options_.function) return true;
    const absl::Status taken = options_.function(reader_.value());
    if (taken.ok()) return true;
    RdbError error;
    error.offset = reader_.offset();
    error.stage = RdbStage::kFunctions;
    error.message = absl::StrCat("a function library: ", taken.message());
    return Refuse(std::move(error));
  }

  RdbError ModuleError() const {
    RdbError error;
    error.offset = reader_.offset();
    error.stage = RdbStage::kModuleAux;
    error.message = absl::StrCat("AUX data of the module '", reader_.name(),
                                 "'; Cloakroom does not have modules");
    error.cause = RdbCause::kUnsupported;
    return error;
  }

  bool Refuse(RdbError error) {
    if (!options_.lenient) {
      result_.error = std::move(error);
      return false;
    }
    result_.lost += 1;
    if (result_.damage.size() < RdbLoadResult::kMaxReported) {
      result_.damage.push_back(std::move(error));
    }
    return true;
  }

  bool RefuseDamage() {
    // Nothing can be saved from what is not an RDB file.
    if (reader_.version() == 0) {
      result_.error = reader_.error();
      return false;
    }
    if (!Refuse(reader_.error())) return false;
    // The chunk may have to grow; the batch keeps what is in it.
    SendBatch();
    return reader_.Resync();
  }

  void AddDamage(RdbLoadQueue::Loaded outcome) {
    result_.lost += outcome.error_count;
    for (RdbError& error : outcome.errors) result_.damage.push_back(std::move(error));
    std::sort(result_.damage.begin(), result_.damage.end(),
              [](const RdbError& a, const RdbError& b) { return a.offset < b.offset; });
    if (result_.damage.size() > RdbLoadResult::kMaxReported) {
      result_.damage.resize(RdbLoadResult::kMaxReported);
    }
  }

  const RdbLoadOptions& options_;
  Keyspace& keyspace_;
  RdbReader reader_;
  bool names_history_ = false;
  std::optional<RdbLoadQueue> queue_;
  RdbBatch batch_;
  uint64_t told_ = 0;
  RdbLoadResult result_;
};

}  // namespace

RdbLoadResult LoadRdb(ByteSource& source, uint64_t size, Keyspace& keyspace,
                      const RdbLoadOptions& options) {
  return Load(source, size, keyspace, options).Run();
}

RdbLoadResult LoadRdb(Files& files, const std::string& path, Keyspace& keyspace,
                      const RdbLoadOptions& options) {
  RdbLoadResult result;
  const auto file = files.OpenForRead(path);
  if (!file.ok()) {
    result.file_status = file.status();
    return result;
  }
  FileSource source(**file);
  result = LoadRdb(source, static_cast<uint64_t>((*file)->size()), keyspace, options);
  result.file_status = source.status();
  if (!result.file_status.ok()) result.error.reset();
  return result;
}

}  // namespace cloakroom
