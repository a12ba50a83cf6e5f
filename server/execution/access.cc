#include "server/execution/access.h"

#include <algorithm>

#include "server/context/server.h"
#include "storage/keyspace/keyspace.h"

namespace cloakroom {

void AddKeys(const Request& request, KeyHashes* keys) {
  const CommandRow& row = *request.command->row;
  if (request.hashed && row.keys.size() == 1 && row.keys[0].single()) {
    return keys->push_back(request.first_hash);
  }
  KeyPositions positions;
  FindKeys(row, request.args, &positions);
  for (const KeyPosition key : positions) keys->push_back(KeyHash::Of(request.args[key.index]));
}

void AddDatabase(Database& db, DatabaseList* databases) {
  const auto at = std::lower_bound(
      databases->begin(), databases->end(), &db,
      [](const Database* a, const Database* b) { return a->index() < b->index(); });
  if (at == databases->end() || *at != &db) databases->insert(at, &db);
}

void AddDatabasesAlone(Server& server, const Command& command, CommandArguments args, int own,
                       bool nested, DatabaseList* databases) {
  Keyspace& keyspace = server.keyspace();
  Access access = command.AccessOf(server, args);
  if (nested && access == Access::kPass) access = Access::kWhole;
  if (nested && (access == Access::kEach || command.row->has(kSelects))) access = Access::kAll;
  switch (access) {
    case Access::kNone:
    case Access::kKeys:
    case Access::kPass:
    case Access::kEach:
      return;
    case Access::kWhole:
      return AddDatabase(keyspace.db(own), databases);
    case Access::kNamed:
      for (int number : command.row->named(args, own)) {
        const bool exists = number >= 0 && number < keyspace.database_count();
        if (exists) AddDatabase(keyspace.db(number), databases);
      }
      return;
    case Access::kAll:
      databases->assign(keyspace.databases().begin(), keyspace.databases().end());
  }
}

bool Covers(const Hold& hold, Server& server, const Command& command, CommandArguments args,
            int own) {
  DatabaseList needed;
  AddDatabasesAlone(server, command, args, own, /*nested=*/true, &needed);
  return std::all_of(needed.begin(), needed.end(),
                     [&](const Database* db) { return hold.Closes(*db); });
}

}  // namespace cloakroom
