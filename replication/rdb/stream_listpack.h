#ifndef CLOAKROOM_REPLICATION_RDB_STREAM_LISTPACK_H_
#define CLOAKROOM_REPLICATION_RDB_STREAM_LISTPACK_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "storage/values/stream_leaf.h"

namespace cloakroom {

// A node of a stream in an RDB file: a listpack (listpack.h) with these elements:
//
//   entries  erased entries  number of fields  field*  0          the node's own, then each entry:
//   flags  ms - first ms  seq - first seq  values                 flags: 1 erased, 2 the node's
//   flags  ms - first ms  seq - first seq  number of fields (field value)*            fields
//   and behind either the number of its elements so far
//
// Source: the files themselves, and redis.io's description of streams.

/// The listpack of a leaf with `items` entries. Without what was erased.
std::string StreamListpackOf(const StreamLeaf& leaf, size_t items);

/// A leaf that was read from a file, with its number of entries, which may be 0.
struct DecodedStreamLeaf {
  std::string bytes;
  size_t items = 0;
  StreamId last;  ///< of its last entry
};

/// The leaf of a node with this first ID. kDataLoss: the listpack is malformed, or an ID is not
/// greater than the one before it.
absl::StatusOr<DecodedStreamLeaf> DecodeStreamListpack(const StreamId& first,
                                                       std::string_view listpack);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_RDB_STREAM_LISTPACK_H_
