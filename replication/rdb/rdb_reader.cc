#include "replication/rdb/rdb_reader.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "replication/files/crc64.h"
#include "replication/rdb/rdb_string_buffer.h"

namespace cloakroom {
namespace {

/// Small enough to stay in the processor's cache until its records are decoded.
constexpr size_t kChunkSize = 256 * 1024;
/// Not an item that is reported to the caller.
constexpr auto kQuiet = static_cast<RdbReader::Item>(0xff);

absl::string_view Absl(std::string_view text) { return {text.data(), text.size()}; }

bool AreDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

RdbReader::RdbReader(ByteSource& source, uint64_t size)
    : source_(source), unread_(size), chunk_(std::make_shared<RdbChunk>(kChunkSize)) {}

RdbReader::Item RdbReader::Next() {
  while (true) {
    RdbCursor cursor(rest());
    const Item item = state_ == State::kMagic      ? ParseMagic(cursor)
                      : state_ == State::kItems    ? ParseItem(cursor)
                      : state_ == State::kChecksum ? ParseChecksum(cursor)
                                                   : Item::kEnd;
    if (cursor.ok()) [[likely]] {
      position_ += cursor.position();
      progress_ = {};
      if (item != kQuiet) return item;
    } else if (cursor.missing() == 0 || !Fill(cursor.missing())) {
      return Fail(cursor);
    }
  }
}

RdbReader::Item RdbReader::Fail(const RdbCursor& cursor) {
  const bool in_record = stage_ == RdbStage::kKey || stage_ == RdbStage::kValue;
  error_.offset = offset() + cursor.position();
  error_.stage = stage_;
  error_.message = cursor.missing() > 0 ? "Unexpected EOF reading RDB file"
                                        : std::string(cursor.status().message());
  error_.type = in_record ? record_.type : -1;
  error_.key.reset();
  error_.cause = newer_ ? RdbCause::kUnsupported : RdbCause::kDamage;
  if (stage_ != RdbStage::kValue) return Item::kError;
  absl::StatusOr<std::string> key = Restored(record_.key);
  if (key.ok()) error_.key = *std::move(key);
  return Item::kError;
}

RdbReader::Item RdbReader::ParseMagic(RdbCursor& cursor) {
  stage_ = RdbStage::kStart;
  constexpr std::string_view kRedis = "REDIS";
  constexpr std::string_view kValkey = "VALKEY";
  const std::string_view magic = cursor.Take(rdb::kMagicSize);
  if (!cursor.ok()) return kQuiet;
  const bool valkey = magic.starts_with(kValkey);
  const std::string_view digits = magic.substr(valkey ? kValkey.size() : kRedis.size());
  int version = 0;
  if ((!valkey && !magic.starts_with(kRedis)) || !AreDigits(digits) ||
      !absl::SimpleAtoi(Absl(digits), &version)) {
    cursor.Fail("Wrong signature trying to load DB from file");
  } else if (valkey ? version != rdb::kValkeyVersion
                    : version < 1 || version > rdb::kNewestVersion) {
    name_ = absl::StrCat("Can't handle RDB format version ", version);
    cursor.Fail(name_);
    newer_ = valkey || version > rdb::kNewestVersion;
  } else {
    dialect_ = valkey ? rdb::Dialect::kValkey : rdb::Dialect::kRedis;
    version_ = version;
    state_ = State::kItems;
  }
  return kQuiet;
}

RdbReader::Item RdbReader::ParseItem(RdbCursor& cursor) {
  stage_ = RdbStage::kType;
  const uint8_t byte = cursor.Byte();
  if (!cursor.ok()) return kQuiet;
  if (rdb::IsType(byte)) [[likely]]
    return ParseRecord(cursor, byte);
  return ParseOpcode(cursor, byte);
}

RdbReader::Item RdbReader::ParseOpcode(RdbCursor& cursor, uint8_t opcode) {
  switch (opcode) {
    case rdb::kExpireTimeMs:
      stage_ = RdbStage::kExpire;
      SetExpiry(cursor, cursor.Number<int64_t>());
      return kQuiet;
    case rdb::kExpireTime:
      stage_ = RdbStage::kExpire;
      SetExpiry(cursor, int64_t{cursor.Number<int32_t>()} * 1000);
      return kQuiet;
    case rdb::kIdle: {
      const uint64_t seconds = cursor.Length();
      constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
      if (cursor.ok()) pending_.idle_seconds = static_cast<int64_t>(std::min(seconds, kMost));
      return kQuiet;
    }
    case rdb::kFreq: {
      const uint8_t counter = cursor.Byte();
      if (cursor.ok()) pending_.lfu_counter = counter;
      return kQuiet;
    }
    case rdb::kResizeDb:
      stage_ = RdbStage::kLength;
      cursor.Length();
      cursor.Length();
      return kQuiet;
    case rdb::kSlotInfo:
      for (int i = 0; i < 3; ++i) cursor.Length();
      return kQuiet;
    case rdb::kSelectDb:
      return ParseSelectDb(cursor);
    case rdb::kAux:
      return ParseAux(cursor);
    case rdb::kFunction:
      return ParseFunction(cursor);
    case rdb::kModuleAux:
      return ParseModuleAux(cursor);
    case rdb::kEof:
      return ParseEnd(cursor);
    case rdb::kFunctionOld:
      cursor.Fail("Pre-release function format not supported.");
      return kQuiet;
    default:
      break;
  }
  value_ = absl::StrCat("Invalid object type: ", opcode);
  cursor.Fail(value_);
  return kQuiet;
}

void RdbReader::SetExpiry(const RdbCursor& cursor, int64_t expire_at_ms) {
  if (cursor.ok()) pending_.expire_at_ms = expire_at_ms;
}

RdbReader::Item RdbReader::ParseSelectDb(RdbCursor& cursor) {
  stage_ = RdbStage::kLength;
  const uint64_t db = cursor.Length();
  if (db > std::numeric_limits<int>::max()) cursor.Fail("no database has such a number");
  if (cursor.ok()) db_ = static_cast<int>(db);
  return Item::kSelectDb;
}

RdbReader::Item RdbReader::ParseAux(RdbCursor& cursor) {
  stage_ = RdbStage::kAux;
  const RdbString name = cursor.String();
  const RdbString value = cursor.String();
  if (!cursor.ok()) return kQuiet;
  absl::StatusOr<std::string> name_text = Restored(name);
  absl::StatusOr<std::string> value_text = Restored(value);
  if (!name_text.ok() || !value_text.ok()) {
    cursor.Fail(kInvalidLzf);
    return kQuiet;
  }
  if (*name_text == rdb::kItemExpiryAux) {
    pending_.item_expiries = *std::move(value_text);
    return kQuiet;
  }
  name_ = *std::move(name_text);
  value_ = *std::move(value_text);
  return Item::kAux;
}

RdbReader::Item RdbReader::ParseFunction(RdbCursor& cursor) {
  stage_ = RdbStage::kFunctions;
  const RdbString source = cursor.String();
  if (!cursor.ok()) return kQuiet;
  absl::StatusOr<std::string> text = Restored(source);
  if (text.ok()) {
    value_ = *std::move(text);
  } else {
    cursor.Fail(kInvalidLzf);
  }
  return Item::kFunction;
}

RdbReader::Item RdbReader::ParseModuleAux(RdbCursor& cursor) {
  stage_ = RdbStage::kModuleAux;
  // Its id: nine letters of six bits, and ten bits of a version.
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  constexpr int kNameSize = 9;
  uint64_t id = cursor.Length();
  cursor.Length();  // that an unsigned number follows,
  cursor.Length();  // which says when the module wants to see this
  module_offset_ = offset() + cursor.position();
  SkipRdbModule(cursor);
  if (!cursor.ok()) return kQuiet;
  name_.resize(kNameSize);
  id >>= 10;
  for (int i = kNameSize; i-- > 0; id >>= 6) name_[static_cast<size_t>(i)] = kLetters[id & 63];
  return Item::kModuleAux;
}

RdbReader::Item RdbReader::ParseRecord(RdbCursor& cursor, uint8_t type) {
  stage_ = RdbStage::kKey;
  record_ = pending_;
  record_.type = type;
  record_.db = db_;
  record_.dialect = dialect_;
  record_.offset = offset();
  record_.key = cursor.String();
  if (!cursor.ok()) return kQuiet;
  stage_ = RdbStage::kValue;
  const size_t start = cursor.position();
  SkipRdbValue(cursor, type, dialect_, progress_);
  if (!cursor.ok()) return kQuiet;
  record_.value = cursor.Since(start);
  record_.end_offset = offset() + cursor.position();
  ForgetPending();
  return Item::kRecord;
}

void RdbReader::ForgetPending() { pending_ = RdbRecord(); }

RdbReader::Item RdbReader::ParseEnd(RdbCursor&) {
  if (version_ < rdb::kFirstChecksum) {
    state_ = State::kDone;
    unchecked_ = true;
    return Item::kEnd;
  }
  state_ = State::kChecksum;
  return kQuiet;
}

RdbReader::Item RdbReader::ParseChecksum(RdbCursor& cursor) {
  stage_ = RdbStage::kChecksum;
  const uint64_t expected = cursor.Number<uint64_t>();
  if (!cursor.ok()) return kQuiet;
  SumUp();
  unchecked_ = expected == 0;
  state_ = State::kDone;
  if (unchecked_ || ignores_checksum_ || expected == crc_) return Item::kEnd;
  error_ = {.offset = offset() + cursor.position(),
            .message = "RDB CRC error",
            .key = std::nullopt,
            .stage = stage_};
  return Item::kError;
}

void RdbReader::SumUp() {
  crc_ = Crc64(crc_, {chunk_->bytes.get() + summed_, position_ - summed_});
  summed_ = position_;
}

bool RdbReader::Fill(size_t missing) {
  if (missing > unread_) return false;
  while (true) {
    MakeRoom(missing);
    // As much as fits in a chunk; for a large record at most as much again as has arrived.
    const size_t room = chunk_->capacity - chunk_->size;
    const size_t read = source_.Read(std::span(chunk_->bytes.get() + chunk_->size, room));
    if (read == 0) return false;
    chunk_->size += read;
    if (unread_ != kUnknownSize) unread_ -= read;
    if (read >= missing) return true;
    missing -= read;
  }
}

void RdbReader::MakeRoom(size_t room) {
  // Makes room for a claimed length only as far as arrived bytes support it.
  const size_t kept = chunk_->size - position_;
  room = std::min(room, std::max(kept, kChunkSize / 2));
  if (chunk_->capacity - chunk_->size >= room) return;
  SumUp();
  const bool others_read_it = chunk_.use_count() > 1;
  std::shared_ptr<RdbChunk> next = chunk_;
  if (others_read_it || kept + room > chunk_->capacity) {
    // Doubles the room, or a record of many small elements would be moved for each of them.
    next = std::make_shared<RdbChunk>(std::max(kChunkSize, kept + std::max(kept, room)));
  }
  std::memmove(next->bytes.get(), chunk_->bytes.get() + position_, kept);
  next->size = kept;
  chunk_ = std::move(next);
  chunk_offset_ += position_;
  position_ = 0;
  summed_ = 0;
}

bool RdbReader::PlausibleAt(size_t position) {
  constexpr int kWitnesses = 3;
  RdbCursor cursor(std::string_view(chunk_->bytes.get(), chunk_->size).substr(position));
  const RdbRecord pending = pending_;
  const int db = db_;
  int records = 0;
  bool ended = false;
  while (cursor.ok() && !ended && records < kWitnesses) {
    progress_ = {};
    const size_t start = cursor.position();
    const Item item = ParseItem(cursor);
    if (!cursor.ok()) break;
    if (item == Item::kRecord && record_.key.size == 0) break;
    if (item == Item::kRecord) records += 1;
    ended = state_ != State::kItems;
    // The skipping counts positions from where the cursor began.
    RdbCursor next(std::string_view(chunk_->bytes.get(), chunk_->size)
                       .substr(position += cursor.position() - start));
    cursor = next;
  }
  // An end counts only if nothing but the checksum follows it.
  const size_t behind = chunk_->size - position;
  const bool right_end =
      ended && behind == (version_ < rdb::kFirstChecksum ? 0 : rdb::kChecksumSize);
  state_ = State::kItems;
  pending_ = pending;
  db_ = db;
  progress_ = {};
  return records == kWitnesses || right_end;
}

bool RdbReader::Resync() {
  constexpr size_t kReach = 64 << 20;
  if (state_ != State::kItems) return false;
  IgnoreChecksum();
  ForgetPending();
  while (chunk_->size - position_ < kReach && Fill(1)) {
  }
  for (size_t at = position_ + 1; at < chunk_->size; ++at) {
    if (!PlausibleAt(at)) continue;
    position_ = at;
    return true;
  }
  return false;
}

}  // namespace cloakroom
