#include "clients/session_visit.h"

#include "clients/request.h"

namespace cloakroom {

std::vector<VisitStep> SessionRead(const VisitedSession& session) {
  const std::string& key = session.key;
  return {
      {Request({"SELECT", std::to_string(session.database)}), 1},
      {Request({"HINCRBY", key, "lock", "1"}), 1},
      {Request({"HMGET", key, "data", "writes"}), 1},
      {Request({"HMSET", key, "pid", session.pid, "lock", "1", "req", session.request}) +
           Request({"EXPIRE", key, std::to_string(session.lifetime_s)}),
       2},
  };
}

std::vector<VisitStep> SessionWrite(const VisitedSession& session, std::string_view data) {
  const std::string& key = session.key;
  const std::string select = Request({"SELECT", std::to_string(session.database)});
  return {
      {select, 1},
      {Request({"HGET", key, "pid"}), 1},
      {select + Request({"HMSET", key, "data", data, "lock", "0"}) +
           Request({"HINCRBY", key, "writes", "1"}) +
           Request({"EXPIRE", key, std::to_string(session.lifetime_s)}),
       4},
  };
}

}  // namespace cloakroom
