#include "clients/drill/way_back.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/drill/ask.h"
#include "clients/drill/graceful.h"
#include "clients/drill/primary_finder.h"
#include "clients/drill/survey.h"
#include "protocol/text.h"

namespace cloakroom::drill {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int64_t kPatientMs = 500;
constexpr milliseconds kLookAgain{50};
/// Each attempt pauses writes for a moment.
constexpr milliseconds kAttemptAgain{1000};
/// For how long Sentinels may refuse: they still end the failover before, or have not yet seen that
/// the replica is well.
constexpr seconds kRefusalLimit{20};
/// Those that did not lead a failover hear of it by the next message, within two seconds.
constexpr seconds kHearsayLimit{20};

/// Asks `done` again until it says yes, the time is over, or the run is interrupted.
bool TryUntil(const ActContext& context, seconds limit, milliseconds every,
              const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    if (context.interrupt->WaitFor(every)) return false;
  }
  return true;
}

bool HasLink(const Address& address, const Credentials& login) {
  absl::StatusOr<RespClient> client = Open(address, login, kPatientMs);
  if (!client.ok()) return false;
  const absl::StatusOr<InfoText> info = AskInfo(*client, "replication");
  return info.ok() && ReadServer(address, *info).link_up;
}

bool AllName(const Where& where, const Address& primary) {
  return std::all_of(where.sentinels.begin(), where.sentinels.end(), [&](const Address& address) {
    const Sentinel sentinel = AskSentinel(address, where);
    return !sentinel.answers() || sentinel.primary.address == primary;
  });
}

std::vector<Address> AllOf(const ActContext& context) {
  std::vector<Address> all = context.replicas;
  all.push_back(context.primary);
  return all;
}

}  // namespace

absl::Status BringBack(const ActContext& context, const Address& now) {
  const Address& first = context.primary;
  const std::string name = ToText(first);
  if (!TryUntil(context, seconds(context.options.limit_s), kLookAgain,
                [&] { return HasLink(first, context.where.login); })) {
    return absl::UnavailableError(
        Concat({name, " does not follow the new primary yet, so it is not the primary again"}));
  }
  ActContext back = context;
  back.primary = now;
  back.replicas = AllOf(context);
  std::erase(back.replicas, now);
  context.say(Concat({"makes ", name, " the primary again"}));
  absl::Status status;
  TryUntil(context, kRefusalLimit, kAttemptAgain, [&] {
    status = HandOver(back, first);
    return !absl::IsFailedPrecondition(status);
  });
  if (!status.ok()) {
    return absl::UnavailableError(Concat({name, " is not the primary again: ", TextOf(status)}));
  }
  const absl::StatusOr<Address> next =
      PrimaryFinder({.where = context.where, .servers = AllOf(context)}).Find();
  if (!next.ok()) return next.status();
  TryUntil(context, kHearsayLimit, kLookAgain, [&] { return AllName(context.where, *next); });
  if (*next == first) return absl::OkStatus();
  return absl::UnavailableError(Concat({name, " is not the primary again: the Sentinels promoted ",
                                        ToText(*next), "; replica-priority decides"}));
}

}  // namespace cloakroom::drill
