#include "replication/rdb/rdb_layout.h"

namespace cloakroom {
namespace {

constexpr size_t kTimeSize = 8;
constexpr size_t kStreamIdSize = 16;
constexpr uint8_t kNoScoreBytes = 253;  // 253 to 255: not a number, and the two infinities

void SkipLengths(RdbCursor& cursor, int count) {
  for (; count > 0; --count) cursor.Length();
}

template <typename SkipOne>
void Repeat(RdbCursor& cursor, SkipOne skip_one) {
  for (uint64_t left = cursor.Length(); left > 0 && cursor.ok(); --left) skip_one(cursor);
}

// As Repeat, for up to millions of elements.
template <typename SkipOne>
void RepeatFrom(RdbCursor& cursor, RdbSkipProgress& progress, SkipOne skip_one) {
  if (progress.position == 0) {
    progress.left = cursor.Length();
    if (!cursor.ok()) return;
  } else {
    cursor.Seek(progress.position);
  }
  progress.position = cursor.position();
  for (; progress.left > 0; --progress.left) {
    skip_one(cursor);
    if (!cursor.ok()) return;
    progress.position = cursor.position();
  }
}

void SkipOne(RdbCursor& cursor) { cursor.SkipString(); }

void SkipTwo(RdbCursor& cursor) {
  cursor.SkipString();
  cursor.SkipString();
}

void SkipTextScore(RdbCursor& cursor) {
  cursor.SkipString();
  const uint8_t size = cursor.Byte();
  if (size < kNoScoreBytes) cursor.Take(size);
}

void SkipBinaryScore(RdbCursor& cursor) {
  cursor.SkipString();
  cursor.Take(sizeof(double));
}

void SkipNode(RdbCursor& cursor) {
  cursor.Length();  // its container: plain or packed
  cursor.SkipString();
}

void SkipTimedField(RdbCursor& cursor) {
  cursor.Length();
  SkipTwo(cursor);
}

void SkipValkeyField(RdbCursor& cursor) {
  SkipTwo(cursor);
  cursor.Take(kTimeSize);
}

// `level` counts the versions of the type: 1 to 3.
void SkipStreamGroup(RdbCursor& cursor, int level) {
  cursor.SkipString();
  SkipLengths(cursor, level >= 2 ? 3 : 2);  // the last id; entries read
  Repeat(cursor, [](RdbCursor& pending) {
    pending.Take(kStreamIdSize + kTimeSize);
    pending.Length();
  });
  Repeat(cursor, [level](RdbCursor& consumer) {
    consumer.SkipString();
    consumer.Take(level >= 3 ? 2 * kTimeSize : kTimeSize);
    Repeat(consumer, [](RdbCursor& pending) { pending.Take(kStreamIdSize); });
  });
}

void SkipStream(RdbCursor& cursor, int level) {
  Repeat(cursor, SkipTwo);
  SkipLengths(cursor, 3);                  // items, the last id
  if (level >= 2) SkipLengths(cursor, 5);  // the first id, the greatest deleted one, items ever
  Repeat(cursor, [level](RdbCursor& group) { SkipStreamGroup(group, level); });
}

}  // namespace

void SkipRdbModule(RdbCursor& cursor) {
  enum : uint8_t { kEnd, kSigned, kUnsigned, kFloat, kDouble, kBytes };
  while (cursor.ok()) {
    switch (cursor.Length()) {
      case kEnd:
        return;
      case kSigned:
      case kUnsigned:
        cursor.Length();
        break;
      case kFloat:
        cursor.Take(sizeof(float));
        break;
      case kDouble:
        cursor.Take(sizeof(double));
        break;
      case kBytes:
        cursor.SkipString();
        break;
      default:
        cursor.Fail("unknown part in a module's value");
    }
  }
}

void SkipRdbValue(RdbCursor& cursor, uint8_t type, rdb::Dialect dialect,
                  RdbSkipProgress& progress) {
  if (dialect == rdb::Dialect::kValkey && type == rdb::kValkeyHash2) {
    return RepeatFrom(cursor, progress, SkipValkeyField);
  }
  switch (type) {
    case rdb::kList:
    case rdb::kSet:
    case rdb::kQuicklist:
      return RepeatFrom(cursor, progress, SkipOne);
    case rdb::kHash:
      return RepeatFrom(cursor, progress, SkipTwo);
    case rdb::kZset:
      return RepeatFrom(cursor, progress, SkipTextScore);
    case rdb::kZset2:
      return RepeatFrom(cursor, progress, SkipBinaryScore);
    case rdb::kQuicklist2:
      return RepeatFrom(cursor, progress, SkipNode);
    case rdb::kStream:
      return SkipStream(cursor, 1);
    case rdb::kStream2:
      return SkipStream(cursor, 2);
    case rdb::kStream3:
      return SkipStream(cursor, 3);
    case rdb::kHashMetadata:
      if (progress.position == 0) cursor.Take(kTimeSize);
      return RepeatFrom(cursor, progress, SkipTimedField);
    case rdb::kHashMetadataOld:
      return RepeatFrom(cursor, progress, SkipTimedField);
    case rdb::kHashListpackEx:
      cursor.Take(kTimeSize);
      return cursor.SkipString();
    case rdb::kModule:
      cursor.Length();
      return SkipRdbModule(cursor);
    case rdb::kModuleOld:
      return cursor.Fail("a module's value from a release candidate of 4.0");
    default:
      return cursor.SkipString();
  }
}

}  // namespace cloakroom
