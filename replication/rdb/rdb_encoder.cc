#include "replication/rdb/rdb_encoder.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "replication/rdb/rdb_codec.h"
#include "replication/rdb/rdb_format.h"
#include "storage/base/integer_text.h"
#include "storage/base/unaligned.h"
#include "storage/keyspace/access_clock.h"

namespace cloakroom {
namespace {

constexpr size_t kMaxLengthSize = 9;
/// As in Redis: shorter strings are not worth it, and the result must save kMinSaved bytes.
constexpr size_t kMinCompressed = 20;
constexpr size_t kMinSaved = 4;
/// The most digits of a 32-bit integer, with its sign.
constexpr size_t kMaxIntegerText = 11;

template <typename T>
bool Fits(int64_t value) {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

char* StoreLength(char* to, uint64_t length) {
  if (length < 64) {
    *to = static_cast<char>(length);
    return to + 1;
  }
  if (length < 16384) {
    to[0] = static_cast<char>(rdb::kLength14 | length >> 8);
    to[1] = static_cast<char>(length);
    return to + 2;
  }
  if (length <= std::numeric_limits<uint32_t>::max()) {
    *to = static_cast<char>(rdb::kLength32);
    return StoreUnaligned(to + 1, __builtin_bswap32(static_cast<uint32_t>(length)));
  }
  *to = static_cast<char>(rdb::kLength64);
  return StoreUnaligned(to + 1, __builtin_bswap64(length));
}

}  // namespace

RdbOptions::Access RdbOptions::AccessOf(EvictionPolicy policy) {
  switch (policy) {
    case EvictionPolicy::kAllKeysLru:
    case EvictionPolicy::kVolatileLru:
      return Access::kIdle;
    case EvictionPolicy::kAllKeysLfu:
    case EvictionPolicy::kVolatileLfu:
      return Access::kFreq;
    default:
      return Access::kNone;
  }
}

RdbEncoder::RdbEncoder(ByteSink& sink, const RdbOptions& options)
    : sink_(sink), options_(options), buffer_(new char[kBuffer + LzfCompressor::kSlack]) {}

void RdbEncoder::Flush() {
  if (used_ > 0) sink_.Append({buffer_.get(), used_});
  used_ = 0;
}

// REQUIRES: size <= kBuffer.
char* RdbEncoder::Room(size_t size) {
  if (kBuffer - used_ < size) Flush();
  return buffer_.get() + used_;
}

void RdbEncoder::Byte(uint8_t byte) {
  *Room(1) = static_cast<char>(byte);
  used_ += 1;
}

void RdbEncoder::Length(uint64_t length) {
  char* const to = Room(kMaxLengthSize);
  used_ += static_cast<size_t>(StoreLength(to, length) - to);
}

void RdbEncoder::Raw(std::string_view bytes) {
  // A large string is passed on without a copy.
  if (bytes.size() >= kBuffer / 2) {
    Flush();
    sink_.Append(bytes);
    return;
  }
  StoreBytes(Room(bytes.size()), bytes);
  used_ += bytes.size();
}

void RdbEncoder::String(std::string_view bytes) {
  if (bytes.size() <= kMaxIntegerText && Integer(bytes)) return;
  if (options_.compression && bytes.size() > kMinCompressed && Compressed(bytes)) return;
  Length(bytes.size());
  Raw(bytes);
}

bool RdbEncoder::Integer(std::string_view bytes) {
  // Most strings are not numbers, as their first byte shows.
  if (bytes.empty() || bytes[0] > '9') return false;
  const std::optional<int64_t> value = ParseCanonicalInt(bytes);
  if (!value || !Fits<int32_t>(*value)) return false;
  if (Fits<int8_t>(*value)) {
    Byte(rdb::kEncodedInt8);
    Number(static_cast<int8_t>(*value));
  } else if (Fits<int16_t>(*value)) {
    Byte(rdb::kEncodedInt16);
    Number(static_cast<int16_t>(*value));
  } else {
    Byte(rdb::kEncodedInt32);
    Number(static_cast<int32_t>(*value));
  }
  return true;
}

bool RdbEncoder::Compressed(std::string_view bytes) {
  if (bytes.size() > kMaxCompressed) return false;
  const size_t limit = bytes.size() - kMinSaved;
  const size_t room = 1 + 2 * kMaxLengthSize + limit;
  char* out;
  if (room <= kBuffer) {
    // The lengths precede the bytes but are not known yet: leave room, and move the bytes later.
    out = Room(room) + 1 + 2 * kMaxLengthSize;
  } else {
    if (scratch_size_ < limit) {
      scratch_.reset(new char[limit + LzfCompressor::kSlack]);
      scratch_size_ = limit;
    }
    out = scratch_.get();
  }
  const size_t size = compressor_.Compress(bytes, out, limit);
  if (size == 0) return false;
  Byte(rdb::kEncodedLzf);
  Length(size);
  Length(bytes.size());
  if (room > kBuffer) {
    Raw({out, size});
    return true;
  }
  std::copy(out, out + size, buffer_.get() + used_);
  used_ += size;
  return true;
}

void RdbEncoder::Entry(const EntryView& entry) {
  RdbCodecOf(entry.value.type).encode(*this, entry);
}

void RdbEncoder::Value(const ValueView& value) {
  value_only_ = true;
  Entry({.key = {}, .value = value});
  value_only_ = false;
}

void RdbEncoder::BeginRecord(uint8_t type, const EntryView& entry, std::string_view item_expiries) {
  if (value_only_) return Byte(type);
  if (entry.expire_at_ms != kNoExpiry) {
    Byte(rdb::kExpireTimeMs);
    Number(entry.expire_at_ms);
  }
  if (options_.access == RdbOptions::Access::kIdle) {
    Byte(rdb::kIdle);
    Length(static_cast<uint64_t>(access_clock::IdleSeconds(entry.access, options_.now_ms)));
  } else if (options_.access == RdbOptions::Access::kFreq) {
    Byte(rdb::kFreq);
    Byte(access_clock::LfuDecayed(entry.access, options_.now_ms, options_.lfu_decay_minutes));
  }
  if (!item_expiries.empty()) {
    Byte(rdb::kAux);
    String(rdb::kItemExpiryAux);
    String(item_expiries);
  }
  Byte(type);
  String(entry.key);
}

}  // namespace cloakroom
