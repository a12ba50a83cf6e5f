#ifndef CLOAKROOM_SERVER_METRICS_PROCESS_FACTS_H_
#define CLOAKROOM_SERVER_METRICS_PROCESS_FACTS_H_

#include <cstdint>
#include <string>

namespace cloakroom {

/// Fixed facts about the process and its machine, for INFO. Read once, at the start.
struct ProcessFacts {
  std::string os;
  std::string executable;
  int64_t system_memory_bytes = 0;

  static ProcessFacts Read();
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_METRICS_PROCESS_FACTS_H_
