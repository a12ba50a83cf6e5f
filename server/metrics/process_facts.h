#ifndef CLOAKROOM_SERVER_METRICS_PROCESS_FACTS_H_
#define CLOAKROOM_SERVER_METRICS_PROCESS_FACTS_H_

#include <cstdint>
#include <string>

namespace cloakroom {

/// What INFO says of the process and its machine, and does not change. Read once, at the start.
struct ProcessFacts {
  std::string os;
  std::string executable;
  int64_t system_memory_bytes = 0;

  static ProcessFacts Read();
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_METRICS_PROCESS_FACTS_H_
