#ifndef CLOAKROOM_SERVER_COMMANDS_SUPPORT_CLIENT_FILTER_H_
#define CLOAKROOM_SERVER_COMMANDS_SUPPORT_CLIENT_FILTER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "server/execution/arguments.h"
#include "server/session/client.h"

namespace cloakroom {

/// Which clients CLIENT LIST shows and CLIENT KILL closes: the filters of Redis 7.4 and of Valkey
/// 9, with their NOT- forms. A client must meet all of them. Refers to the arguments.
class ClientFilter {
 public:
  /// What Redis says of ids.
  struct IdRules {
    int64_t lowest;
    std::string_view bad;       ///< the error for an id that is no number, or a lower one
    std::string_view followed;  ///< the error for an unknown word behind ids
  };

  /// `skips_me`: without SKIPME.
  ClientFilter(bool skips_me, const IdRules& id_rules) : skips_me_(skips_me), id_rules_(id_rules) {}

  /// Takes one filter with its values; an unknown word is the syntax error.
  void Take(Arguments& args);
  /// A client with this address.
  void RequireAddress(std::string_view address);

  bool skips_me() const { return skips_me_; }
  /// The ids that are asked for, in their order; nullopt: not by id.
  const std::optional<std::vector<uint64_t>>& ids() const { return ids_; }
  /// Whether the client meets all filters but ID and SKIPME.
  bool Matches(const Client& client, int64_t now_ms) const;

 private:
  using Test = std::function<bool(const Client& client, int64_t now_ms)>;

  std::vector<uint64_t> TakeIds(Arguments& args);
  /// Takes the filter of a value that both forms have; nullptr: the word is none.
  Test TakeTest(Arguments& args, std::string_view prefix);
  bool TakeId(Arguments& args);
  bool TakeNumber(Arguments& args);

  bool skips_me_;
  const IdRules id_rules_;
  bool behind_ids_ = false;
  std::optional<std::vector<uint64_t>> ids_;
  std::vector<Test> tests_;
};

}  // namespace cloakroom

#endif  // CLOAKROOM_SERVER_COMMANDS_SUPPORT_CLIENT_FILTER_H_
