#include "server/commands/support/client_filter.h"

#include <algorithm>
#include <string>
#include <utility>

#include "protocol/numbers.h"
#include "protocol/text.h"
#include "server/info/client_line.h"
#include "server/session/authenticate.h"

namespace cloakroom {
namespace {

/// The letters of CLIENT LIST's flags, those of Redis and Valkey.
constexpr std::string_view kKnownFlags = "ABEIMNOPRSTUbcdeirtux";
/// What a client can say with Valkey's CLIENT CAPA.
constexpr std::string_view kKnownCapabilities = "r";

constexpr std::string_view kNot = "NOT-";

/// "127.0.0.1" of "127.0.0.1:50123", "::1" of "[::1]:50123".
std::string_view IpOf(std::string_view address) {
  std::string_view ip = address.substr(0, address.rfind(':'));
  if (ip.starts_with('[')) ip = ip.substr(1, ip.size() - 2);
  return ip;
}

bool HasAll(std::string_view letters, std::string_view wanted) {
  return wanted.find_first_not_of(letters) == wanted.npos;
}

/// Takes letters, all of which must be known.
std::string_view TakeLetters(Arguments& args, std::string_view known, std::string_view what,
                             std::string_view prefix) {
  const std::string_view letters = args.String();
  if (!HasAll(known, letters)) {
    const std::string lower = what == "FLAGS" ? "flags" : "capa";
    const std::string which = prefix.empty() ? "provided" : Concat({prefix, what});
    args.Fail(Concat({"ERR Unknown ", lower, " found in the ", which, " filter: ", letters}));
  }
  return letters;
}

int64_t TakeSeconds(Arguments& args, std::string_view name) {
  const int64_t seconds =
      args.Integer(Concat({"ERR ", name, " is not an integer or out of range"}));
  if (seconds <= 0) args.Fail(Concat({"ERR ", name, " should be greater than 0"}));
  return seconds;
}

/// A text of the client that its mutex guards.
std::string TextOf(const Client& client, std::string Client::* text) {
  MutexLock lock(client.mutex);
  return client.*text;
}

}  // namespace

std::vector<uint64_t> ClientFilter::TakeIds(Arguments& args) {
  std::vector<uint64_t> ids;
  do {
    ids.push_back(
        static_cast<uint64_t>(args.IntegerIn(id_rules_.lowest, INT64_MAX, id_rules_.bad)));
    // As many as there are; behind them may be another filter.
  } while (args.More() && ParseInteger(args.Peek()));
  return ids;
}

bool ClientFilter::TakeId(Arguments& args) {
  if (args.Word("ID", 1)) {
    const std::vector<uint64_t> more = TakeIds(args);
    if (!ids_) ids_.emplace();
    ids_->insert(ids_->end(), more.begin(), more.end());
    return true;
  }
  if (!args.Word("NOT-ID", 1)) return false;
  tests_.emplace_back([ids = TakeIds(args)](const Client& client, int64_t) {
    return std::find(ids.begin(), ids.end(), client.id) == ids.end();
  });
  return true;
}

bool ClientFilter::TakeNumber(Arguments& args) {
  if (args.Word("MAXAGE", 1)) {
    tests_.emplace_back([age = TakeSeconds(args, "maxage")](const Client& client, int64_t now_ms) {
      return (now_ms - client.created_ms) / 1000 >= age;
    });
    return true;
  }
  if (!args.Word("IDLE", 1)) return false;
  tests_.emplace_back([idle = TakeSeconds(args, "idle")](const Client& client, int64_t now_ms) {
    return (now_ms - client.last_ms) / 1000 >= idle;
  });
  return true;
}

ClientFilter::Test ClientFilter::TakeTest(Arguments& args, std::string_view prefix) {
  const auto word = [&](std::string_view name) { return args.Word(Concat({prefix, name}), 1); };
  if (word("TYPE")) {
    const std::string_view name = args.String();
    const std::optional<ClientType> type = ParseClientType(name);
    if (!type) args.Fail(Concat({"ERR Unknown client type '", name, "'"}));
    return [type](const Client& client, int64_t) { return TypeOf(client) == type; };
  }
  if (word("ADDR")) {
    return [address = args.String()](const Client& client, int64_t) {
      return client.address.Text() == address;
    };
  }
  if (word("LADDR")) {
    return [address = args.String()](const Client& client, int64_t) {
      return client.local_address.Text() == address;
    };
  }
  if (word("IP")) {
    return [ip = args.String()](const Client& client, int64_t) {
      return IpOf(client.address.Text()) == ip;
    };
  }
  if (word("USER")) {
    const std::string_view user = args.String();
    if (user != kDefaultUser) args.Fail(Concat({"ERR No such user '", user, "'"}));
    return [](const Client&, int64_t) { return true; };
  }
  if (word("FLAGS")) {
    const std::string_view flags = TakeLetters(args, kKnownFlags, "FLAGS", prefix);
    return [flags](const Client& client, int64_t) { return HasAll(ClientFlags(client), flags); };
  }
  if (word("CAPA")) {
    const std::string_view letters = TakeLetters(args, kKnownCapabilities, "CAPA", prefix);
    // No client can say here what it is capable of.
    return [letters](const Client&, int64_t) { return letters.empty(); };
  }
  if (word("DB")) {
    const int databases = args.call().server().keyspace().database_count();
    const int64_t db = args.IntegerIn(0, databases - 1, kDbIndexOutOfRange);
    return [db](const Client& client, int64_t) { return client.db + 0 == db; };
  }
  const std::pair<std::string_view, std::string Client::*> texts[] = {
      {"NAME", &Client::name}, {"LIB-NAME", &Client::lib_name}, {"LIB-VER", &Client::lib_version}};
  for (const auto& [name, member] : texts) {
    if (!word(name)) continue;
    return [wanted = args.String(), text = member](const Client& client, int64_t) {
      return TextOf(client, text) == wanted;
    };
  }
  return nullptr;
}

void ClientFilter::Take(Arguments& args) {
  const bool behind_ids = std::exchange(behind_ids_, TakeId(args));
  if (behind_ids_ || TakeNumber(args)) return;
  if (args.Word("SKIPME", 1)) {
    skips_me_ = args.Word("YES");
    if (!skips_me_ && !args.Word("NO")) args.SyntaxError();
    return;
  }
  if (Test test = TakeTest(args, "")) {
    tests_.push_back(std::move(test));
  } else if (Test opposite = TakeTest(args, kNot)) {
    tests_.emplace_back([opposite = std::move(opposite)](const Client& client, int64_t now_ms) {
      return !opposite(client, now_ms);
    });
  } else {
    args.Fail(behind_ids ? id_rules_.followed : kSyntaxError);
  }
}

void ClientFilter::RequireAddress(std::string_view address) {
  tests_.emplace_back(
      [address](const Client& client, int64_t) { return client.address.Text() == address; });
}

bool ClientFilter::Matches(const Client& client, int64_t now_ms) const {
  return std::all_of(tests_.begin(), tests_.end(),
                     [&](const Test& test) { return test(client, now_ms); });
}

}  // namespace cloakroom
