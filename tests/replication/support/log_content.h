#ifndef CLOAKROOM_TESTS_REPLICATION_SUPPORT_LOG_CONTENT_H_
#define CLOAKROOM_TESTS_REPLICATION_SUPPORT_LOG_CONTENT_H_

#include <string>
#include <vector>

#include "replication/files/files.h"

namespace cloakroom {

/// What a directory's log holds: the last argument of each command, base first. Reading cuts what a
/// server would cut, a torn tail of the last file.
struct LogContent {
  std::vector<std::string> records;
  std::string error;  ///< why a server would not start
};
LogContent ReadLog(Files& files, const std::string& path, const std::string& name);

/// "SET k <n>" as RESP: a record from which ReadLog returns the number.
std::string Record(int n);

}  // namespace cloakroom

#endif  // CLOAKROOM_TESTS_REPLICATION_SUPPORT_LOG_CONTENT_H_
