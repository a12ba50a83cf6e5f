#ifndef CLOAKROOM_SERVER_PERSISTENCE_HISTORY_PLACES_H_
#define CLOAKROOM_SERVER_PERSISTENCE_HISTORY_PLACES_H_

#include <optional>
#include <string_view>

#include "replication/aof/aof_backlog.h"
#include "replication/rdb/snapshot_writer.h"
#include "storage/keyspace/hold.h"

namespace cloakroom {

/// Knows at which place of the history of changes the data is, so that a replica may continue from
/// a saved file or from the log. The room that knows is above this one.
///
/// Thread rule: one that has closed all gates.
class HistoryPlaces {
 public:
  /// Adds the fields that say so in the head of an RDB of this instant.
  virtual void AddFields(RdbAuxFields* fields) = 0;
  /// A field of an RDB that is loaded; it may be another one.
  virtual void NoteField(std::string_view name, std::string_view value) = 0;
  /// The data was loaded at the start, and is that of the noted fields. The log is not open yet.
  virtual void TakeUpFields() = 0;
  /// The same, but it is that of the place; nullopt: nobody can continue from it.
  virtual void TakeUp(const std::optional<AofPlace>& place) = 0;
  /// After that, and when the log is open, if it is on. `hold` closes all gates.
  virtual void BeginRole(Hold& hold) = 0;

  /// The data is saved for the end: the history grows no more, so that who has all of it may
  /// continue from the file. Unseal: the server does not end after all.
  virtual void Seal() = 0;
  virtual void Unseal() = 0;

 protected:
  ~HistoryPlaces() = default;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_PERSISTENCE_HISTORY_PLACES_H_
