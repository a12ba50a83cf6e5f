#ifndef CLOAKROOM_REPLICATION_STREAM_CHANGE_ENCODER_H_
#define CLOAKROOM_REPLICATION_STREAM_CHANGE_ENCODER_H_

#include <cstddef>

#include "replication/stream/change_words.h"
#include "replication/stream/stream_writer.h"
#include "storage/changes/change.h"

namespace cloakroom {

/// A batch of changes in the stream's form, which is Redis' own: commands in RESP, with SELECT
/// where the database changes, and MULTI and EXEC around a batch of more than one, so that it is
/// executed whole or not at all. The SELECT that the batch may need before it is the stream's
/// matter (ChangeStream::Reserve).
///
/// Thread rule: that of the batch.

/// How many bytes EncodeChanges will write. REQUIRES: the batch is not empty.
size_t EncodedSize(const ChangeBatch& batch, OldestReader oldest);

void EncodeChanges(const ChangeBatch& batch, OldestReader oldest, StreamWriter& out);

}  // namespace cloakroom

#endif  // CLOAKROOM_REPLICATION_STREAM_CHANGE_ENCODER_H_
