#ifndef CLOAKROOM_SERVER_INFO_INFO_H_
#define CLOAKROOM_SERVER_INFO_INFO_H_

#include <span>
#include <string>
#include <string_view>

#include "server/context/server.h"
#include "server/info/info_text.h"

namespace cloakroom {

/// INFO's reply: the requested sections ("default", "all" and "everything" stand for several; none:
/// default), in Redis' order, without unknown ones. The fields have the names and order of Redis
/// 7.2; our own fields begin with "cloakroom_". Features that this version does not have report
/// that they are idle. Any thread; touches no file.
std::string Info(Server& server, std::span<const std::string_view> sections);

// The longer sections (info_memory.cc, info_activity.cc, info_persistence.cc
// and others).
void AppendMemory(Server& server, InfoText& text);
void AppendPersistence(Server& server, InfoText& text);
void AppendReplication(Server& server, InfoText& text);
void AppendSessions(Server& server, InfoText& text);
void AppendStats(Server& server, InfoText& text);
void AppendCommandStats(Server& server, InfoText& text);
void AppendErrorStats(Server& server, InfoText& text);
void AppendLatencyStats(Server& server, InfoText& text);

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_INFO_INFO_H_
