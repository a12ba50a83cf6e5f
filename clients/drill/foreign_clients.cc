#include "clients/drill/foreign_clients.h"

#include <map>
#include <set>

#include "clients/drill/ask.h"

namespace cloakroom::drill {
namespace {

std::string_view TakeUpTo(char end, std::string_view* text) {
  const size_t at = text->find(end);
  const std::string_view part = text->substr(0, at);
  text->remove_prefix(at == std::string_view::npos ? text->size() : at + 1);
  return part;
}

ClientLine ReadLine(std::string_view line) {
  ClientLine client;
  while (!line.empty()) {
    std::string_view value = TakeUpTo(' ', &line);
    const std::string_view name = TakeUpTo('=', &value);
    if (name == "id") client.id = value;
    if (name == "addr") client.address = value;
    if (name == "name") client.name = value;
    if (name == "flags") client.flags = value;
    if (name == "cmd") client.command = value;
  }
  return client;
}

}  // namespace

bool ClientLine::is_expected() const {
  return flags.find_first_of("SM") != std::string::npos || name.starts_with("sentinel-") ||
         name == kClientName;
}

std::vector<ClientLine> ReadClientList(std::string_view text) {
  std::vector<ClientLine> clients;
  while (!text.empty()) {
    const std::string_view line = TakeUpTo('\n', &text);
    if (line.starts_with("id=")) clients.push_back(ReadLine(line));
  }
  return clients;
}

std::vector<ClientLine> ForeignClients(const std::vector<std::vector<ClientLine>>& looks,
                                       Looks which) {
  std::map<std::string, ClientLine> foreign;
  std::set<std::string> before;
  for (const std::vector<ClientLine>& look : looks) {
    std::map<std::string, ClientLine> now = which == Looks::kAny ? foreign : decltype(foreign)();
    std::set<std::string> seen;
    for (const ClientLine& client : look) {
      if (client.is_expected()) {
        now.erase(client.id);
        continue;
      }
      seen.insert(client.id);
      if (which == Looks::kAny || before.contains(client.id)) now[client.id] = client;
    }
    foreign = std::move(now);
    before = std::move(seen);
  }
  std::vector<ClientLine> found;
  found.reserve(foreign.size());
  for (auto& [id, client] : foreign) found.push_back(std::move(client));
  return found;
}

}  // namespace cloakroom::drill
