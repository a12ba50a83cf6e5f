#ifndef CLOAKROOM_SERVER_INFO_INFO_H_
#define CLOAKROOM_SERVER_INFO_INFO_H_

#include <span>
#include <string>
#include <string_view>

#include "server/context/server.h"
#include "server/info/info_text.h"

namespace cloakroom {

/// What INFO answers: the sections asked for ("default", "all" and "everything" stand for several;
/// none: default), in Redis' order; unknown ones are left out. Names and order of the fields are
/// those of Redis 7.2; a field of ours begins with "cloakroom_". Features that this version does
/// not have report that they are idle. Any thread; no file is touched.
std::string Info(Server& server, std::span<const std::string_view> sections);

// The sections that are more than a few lines (info_memory.cc, info_activity.cc).
void AppendMemory(Server& server, InfoText& text);
void AppendPersistence(Server& server, InfoText& text);
void AppendStats(Server& server, InfoText& text);
void AppendCommandStats(Server& server, InfoText& text);
void AppendErrorStats(Server& server, InfoText& text);
void AppendLatencyStats(Server& server, InfoText& text);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_INFO_INFO_H_
